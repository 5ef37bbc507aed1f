"""How far shared weights rank networks as training each of them alone does: Kendall's tau on cells and digits.

Supernets of NAS-Bench-201 cells (one a stage, half width) are trained on 15 % of the digits, along uniformly drawn
paths and along fair ones. Then 200 feasible cells, drawn at random, are measured on the other images: with the shared
weights, with these after ten steps more on the cell alone, and trained alone from fresh weights, four times with
batches in other orders.
What trainings alone agree among themselves says what can be reached. All trainings are steps of the same compiled
program.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

SHARED_STEPS = 1000
TUNED_STEPS = 10
ALONE_STEPS = 40
REPEATS = 4
NETWORKS = 200
WIDTH = 0.5
VALIDATION_SHARE = 0.85
_CELLS_SEED = 2
_BATCH = 64


def run(*, quick: bool = False) -> dict[str, Any]:
    """Trains the supernet and every network alone.

    Args:
        quick: 20 networks and a tenth of the steps.

    Returns:
        "ratios": Kendall's tau-b of accuracies and losses with shared weights against the mean accuracy alone, and of
        trainings alone against one another; "figures": CPU seconds and accuracies.
    """
    from scipy import stats

    from autoglyph.child_programs.datasets import load_dataset
    from autoglyph.child_programs.tensorflow_process import prepare_process
    from autoglyph.child_programs.weight_sharing.one_shot import Schedule, train_fairly, train_uniformly
    from autoglyph.child_programs.weight_sharing.paths import paths_of
    from autoglyph.child_programs.weight_sharing.policy import PathPolicy
    from autoglyph.child_programs.weight_sharing.shared_weights import SharedWeights
    from autoglyph.child_programs.weight_sharing.supernet import Supernet, batches, cosine
    from autoglyph.search_spaces.spaces.nasbench201 import SPACE

    prepare_process(1)
    shrink = 10 if quick else 1
    data = load_dataset("digits", seed=0, validation_share=VALIDATION_SHARE)
    supernet = Supernet(SharedWeights(0), data, width=WIDTH)
    paths = paths_of(supernet, SPACE.genome)
    fresh = supernet.weights.values()
    policy, rng = PathPolicy(SPACE), np.random.default_rng(_CELLS_SEED)
    cells: dict[bytes, Any] = {}
    while len(cells) < NETWORKS // shrink:
        row = policy.draw(rng)
        cells[row.tobytes()] = row

    def trained(row: Any, beginning: Any, steps: int, peak: float, seed: int) -> dict[str, float]:
        supernet.begin_with(beginning)
        examples = batches(len(data.y_train), _BATCH, seed)
        for step in range(steps):
            paths.train_step(row, next(examples), cosine(step, steps, peak))
        return paths.measure(row)

    def told(measured: list[dict[str, float]]) -> dict[str, Any]:
        return {metric: np.array([values[metric] for values in measured]) for metric in ("top1", "loss")}

    shots: dict[str, dict[str, Any]] = {}
    supernet_s = 0.0
    for method, train in (("uniform", train_uniformly), ("fair", train_fairly)):
        supernet.begin_with(fresh)
        started = time.process_time()
        for progress in train(paths, SPACE, Schedule(SHARED_STEPS // shrink)):
            if progress.step % 250 == 0:
                print(f"{method} paths: step {progress.step}, loss {progress.loss:.3f}", file=sys.stderr, flush=True)
        supernet_s = time.process_time() - started
        shots[f"{method} paths"] = told([paths.measure(row) for row in cells.values()])
        shared = supernet.weights.values()
        more = [trained(row, shared, TUNED_STEPS, 0.03, seed) for seed, row in enumerate(cells.values())]
        shots[f"{method} paths, {TUNED_STEPS} steps more"] = told(more)
    alone = []
    started = time.process_time()
    for repeat in range(REPEATS):
        steps = max(1, ALONE_STEPS // shrink)
        seeds = range(len(cells) * (repeat + 1), len(cells) * (repeat + 2))
        alone.append(told([trained(row, fresh, steps, 0.1, s) for s, row in zip(seeds, cells.values(), strict=True)]))
        print(f"alone: training {repeat + 1} of {REPEATS} of all networks", file=sys.stderr, flush=True)
    alone_s = (time.process_time() - started) / REPEATS

    def tau(first: Any, second: Any) -> float:
        return float(stats.kendalltau(first, second).statistic)

    accuracies = np.mean([each["top1"] for each in alone], axis=0)
    ratios = {}
    for name, measured in shots.items():
        ratios[f"Kendall's tau with accuracy alone: accuracy, {name}"] = tau(measured["top1"], accuracies)
        ratios[f"Kendall's tau with accuracy alone: -loss, {name}"] = tau(-measured["loss"], accuracies)
    pairs = [(first["top1"], second["top1"]) for i, first in enumerate(alone) for second in alone[:i]]
    halves = [sum(each["top1"] for each in half) for half in (alone[::2], alone[1::2])]
    ratios["Kendall's tau of one training alone with another"] = float(np.mean([tau(*pair) for pair in pairs]))
    ratios["Kendall's tau of the mean of two trainings alone with that of two others"] = tau(*halves)
    ratios["CPU time of training all networks alone, once, over that of a supernet"] = alone_s / supernet_s
    chooser = f"fair paths, {TUNED_STEPS} steps more"
    best = int(np.argmin(shots[chooser]["loss"]))
    figures = {
        "networks": float(len(cells)),
        "training images": float(len(data.y_train)),
        "validation images": float(len(data.y_valid)),
        "steps of a supernet": float(SHARED_STEPS // shrink),
        "steps of each network alone": float(max(1, ALONE_STEPS // shrink)),
        "top-1 alone, worst": float(accuracies.min()),
        "top-1 alone, median": float(np.median(accuracies)),
        "top-1 alone, best": float(accuracies.max()),
        f"top-1 alone of the best by loss, {chooser}": float(accuracies[best]),
        "share of networks that are worse alone than it": float(np.mean(accuracies < accuracies[best])),
    }
    return {"bench": "weight_sharing", "ratios": ratios, "figures": figures}
