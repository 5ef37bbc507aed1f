"""Co-design flows at equal trials: joint, phased either way, nested, and the search on fixed hardware.

Every flow searches the space `nahas` by the same algorithm for the same number of trials, once for accuracy and
latency and once for accuracy and energy, with no more chip area than the baseline accelerator. Fronts are compared
by hypervolume, once from the worst values on the fronts of joint, phased and fixed searches ("corner of all") and
once from those of fixed hardware alone, which weighs cheap networks more; and by the best accuracy within targets
(-inf where a front has nothing so cheap). Accuracy is the Accel-NASBench
surrogate, latency, energy and area are the analytic model's.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.algorithms.pareto import hypervolume
from autoglyph.experiments.objectives import FloatArray

FLOWS = {
    "joint": "joint",
    "hardware_first": "phased:accelerator,architecture",
    "network_first": "phased:architecture,accelerator",
    "nested": "nested:accelerator",
    "fixed_hardware": "phased:architecture",
}
COSTS = ("latency_ms", "energy_mj")
TRIALS = 4000
SEEDS = 5
TARGETS = 3


def run(*, quick: bool = False, picture: Path | None = None) -> dict[str, Any]:
    """Searches with every flow.

    Args:
        quick: fewer trials and seeds.
        picture: file for a plot of the fronts of all seeds together.

    Returns:
        "ratios": median hypervolume of every flow over that of fixed hardware, by cost and corner; "figures": how
        many seeds joint search wins against each other flow, and median best accuracy within targets.
    """
    trials, seeds = (150, 2) if quick else (TRIALS, SEEDS)
    ratios: dict[str, float] = {}
    figures: dict[str, float] = {}
    fronts_by_cost: dict[str, dict[str, list[FloatArray]]] = {}
    area_mm2 = baseline_area_mm2()
    with tempfile.TemporaryDirectory() as folder:
        for cost in COSTS:
            fronts = {
                name: [_front(flow, cost, area_mm2, trials, seed, Path(folder) / "record.db") for seed in range(seeds)]
                for name, flow in FLOWS.items()
            }
            fronts_by_cost[cost] = fronts
            _compare(cost, fronts, ratios, figures)
    if picture is not None:
        _draw(fronts_by_cost, picture)
    return {"bench": "codesign", "ratios": ratios, "figures": figures}


def baseline_area_mm2() -> float:
    """Chip area of the baseline accelerator, the bound of all searches."""
    from autoglyph.hardware_models.pair_cost import PairCost
    from autoglyph.search_spaces.spaces.nahas import SPACE

    row = SPACE.genome.encode(SPACE.individual("baseline"))
    return float(PairCost(SPACE)(row[None])["area_mm2"][0])


def _front(flow: str, cost: str, area_mm2: float, trials: int, seed: int, store: Path) -> FloatArray:
    """(n, 2) accuracy and negative cost of the front of one search."""
    from autoglyph.experiments.experiment import define, describe, describe_columns
    from autoglyph.experiments.flows import BASELINE
    from autoglyph.experiments.known_start import START
    from autoglyph.experiments.run import Run
    from autoglyph.experiments.search import Search
    from autoglyph.experiments.store import Store

    experiment, domain = define(
        "nahas",
        algorithm="nsga2",
        flow=flow,
        objectives=["max:top1", f"min:{cost}"],
        constraints=[f"area_mm2<={area_mm2 * 1.0001}"],
        trials=trials,
        seed=seed,
        # phased searches start from the baseline, so a joint one knows it too
        settings={START: BASELINE} if flow == "joint" else None,
    )
    with Store(store, create=True) as opened:
        record = opened.create_run(None, f"{cost}-{seed}", describe(experiment, domain), describe_columns(domain))
        Search(experiment, domain).run(opened, record)
        run = Run(record, opened.trials(record.run))
    return run.fitness[run.front]


def _compare(
    cost: str, fronts: dict[str, list[FloatArray]], ratios: dict[str, float], figures: dict[str, float]
) -> None:
    every = np.concatenate([front for several in fronts.values() for front in several])
    compared = np.concatenate([front for name, several in fronts.items() if name != "nested" for front in several])
    fixed = np.concatenate(fronts["fixed_hardware"])
    for corner, reference in (("all", compared.min(axis=0)), ("fixed_hardware", fixed.min(axis=0))):
        volumes = {name: np.array([hypervolume(f, reference) for f in several]) for name, several in fronts.items()}
        base = float(np.median(volumes["fixed_hardware"]))
        for name, values in volumes.items():
            if name != "fixed_hardware":
                ratios[f"{cost}_{name}_from_corner_of_{corner}"] = float(np.median(values)) / base
            if name != "joint":
                figures[f"{cost}_seeds_joint_beats_{name}_from_corner_of_{corner}"] = float(
                    np.sum(volumes["joint"] > values)
                )
    for target in _targets(-every[:, 1]):
        for name, several in fronts.items():
            best = [front[-front[:, 1] <= target, 0].max(initial=-np.inf) for front in several]
            figures[f"{cost}_top1_within_{target:.3g}_{name}"] = float(np.median(best))


def _targets(costs: FloatArray) -> NDArray[np.float64]:
    """Costs spread evenly in the logarithm over the middle of the fronts."""
    low, high = np.quantile(costs, (0.1, 0.9))
    return np.geomspace(low, high, TARGETS)


def _draw(fronts_by_cost: dict[str, dict[str, list[FloatArray]]], path: Path) -> None:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    # Okabe and Ito 2008: told apart by colour-blind readers.
    colours = dict(zip(FLOWS, ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#555555"), strict=True))
    units = {"latency_ms": "latency (ms, batch 1)", "energy_mj": "energy (mJ, batch 1)"}
    figure, axes = plt.subplots(1, len(fronts_by_cost), figsize=(11, 4.5), constrained_layout=True)
    for axis, (cost, fronts) in zip(np.atleast_1d(axes), fronts_by_cost.items(), strict=True):
        for name, several in fronts.items():
            points = np.concatenate(several)
            order = np.argsort(-points[:, 1])
            best = np.maximum.accumulate(points[order, 0])
            axis.step(-points[order, 1], best, where="post", color=colours[name], label=name.replace("_", " "))
        axis.set(xscale="log", xlabel=units[cost], ylabel="top-1 accuracy (%, Accel-NASBench surrogate)")
        axis.grid(alpha=0.3)
    np.atleast_1d(axes)[0].legend()
    figure.suptitle("Best found within a cost, all seeds together (analytic model, area of the baseline accelerator)")
    figure.savefig(path, dpi=120)
    plt.close(figure)
