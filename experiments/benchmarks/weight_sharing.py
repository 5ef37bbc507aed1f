"""How far one-shot accuracy ranks networks as training each of them alone does: Kendall's tau on cells and digits.

A supernet of NAS-Bench-201 cells (one a stage, half width) is trained on digits along uniformly drawn paths. Then 200
feasible cells, drawn at random, are measured on the validation images: with the shared weights, and trained alone from
fresh weights, twice with batches in other orders. How far these two agree is the most that anything could reach. All
trainings are steps of the same compiled program.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

SHARED_STEPS = 4000
ALONE_STEPS = 150
NETWORKS = 200
WIDTH = 0.5


def run(*, quick: bool = False) -> dict[str, Any]:
    """Trains the supernet and every network alone.

    Args:
        quick: 20 networks and a tenth of the steps.

    Returns:
        "ratios": Kendall's tau-b by accuracy and by loss, of one-shot against the mean of both trainings alone and of
        these against one another; "figures": CPU seconds and accuracies.
    """
    from scipy import stats

    from autoglyph.child_programs.datasets import DEFAULT_VALIDATION_SHARE, load_dataset
    from autoglyph.child_programs.tensorflow_process import prepare_process
    from autoglyph.child_programs.weight_sharing.one_shot import Schedule, train_uniformly
    from autoglyph.child_programs.weight_sharing.paths import paths_of
    from autoglyph.child_programs.weight_sharing.policy import PathPolicy
    from autoglyph.child_programs.weight_sharing.shared_weights import SharedWeights
    from autoglyph.child_programs.weight_sharing.supernet import Supernet, batches, cosine
    from autoglyph.search_spaces.spaces.nasbench201 import SPACE

    prepare_process(1)
    shrink = 10 if quick else 1
    data = load_dataset("digits", seed=0, validation_share=DEFAULT_VALIDATION_SHARE)
    supernet = Supernet(SharedWeights(0), data, width=WIDTH)
    paths = paths_of(supernet, SPACE.genome)
    fresh = supernet.weights.values()
    started = time.process_time()
    for progress in train_uniformly(paths, SPACE, Schedule(SHARED_STEPS // shrink)):
        if progress.step % 500 == 0:
            print(f"supernet: step {progress.step}, loss {progress.loss:.3f}", file=sys.stderr, flush=True)
    shared_s = time.process_time() - started

    policy, rng = PathPolicy(SPACE), np.random.default_rng(1)
    cells: dict[bytes, Any] = {}
    while len(cells) < NETWORKS // shrink:
        row = policy.draw(rng)
        cells[row.tobytes()] = row
    one_shot = [paths.measure(row) for row in cells.values()]
    started = time.process_time()
    alone: list[list[dict[str, float]]] = [[], []]
    for number, row in enumerate(cells.values()):
        for repeat, measured in enumerate(alone):
            supernet.begin_with(fresh)
            examples = batches(len(data.y_train), 64, 2 * number + repeat)
            for step in range(ALONE_STEPS // shrink):
                paths.train_step(row, next(examples), cosine(step, ALONE_STEPS // shrink, 0.1))
            measured.append(paths.measure(row))
        if (number + 1) % 20 == 0:
            print(f"alone: {number + 1} networks", file=sys.stderr, flush=True)
    alone_s = (time.process_time() - started) / len(alone)

    ratios = {}
    for metric in ("top1", "loss"):
        shared = np.array([values[metric] for values in one_shot])
        first, second = (np.array([values[metric] for values in each]) for each in alone)
        ratios[f"Kendall's tau by {metric}"] = float(stats.kendalltau(shared, first + second).statistic)
        ratios[f"Kendall's tau by {metric}, alone against alone"] = float(stats.kendalltau(first, second).statistic)
    ratios["CPU time of training all networks alone over that of the supernet"] = alone_s / shared_s
    best = int(np.argmax([values["top1"] for values in one_shot]))
    accuracies = np.mean([[values["top1"] for values in each] for each in alone], axis=0)
    figures = {
        "networks": float(len(cells)),
        "steps of the supernet": float(SHARED_STEPS // shrink),
        "steps of each network alone": float(ALONE_STEPS // shrink),
        "top-1 alone, worst": float(accuracies.min()),
        "top-1 alone, median": float(np.median(accuracies)),
        "top-1 alone, best": float(accuracies.max()),
        "top-1 alone of the best by one-shot": float(accuracies[best]),
        "share of networks that are worse alone than it": float(np.mean(accuracies < accuracies[best])),
    }
    return {"bench": "weight_sharing", "ratios": ratios, "figures": figures}
