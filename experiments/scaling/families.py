"""The experiment: families scaled by latency and by multiply-adds, beside the published ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autoglyph.experiments.individual_file import Base, write_individual
from autoglyph.experiments.scaling.compound import (
    DEFAULT_TOLERANCE,
    DEFAULT_W,
    MAX_DEPTH_FACTOR,
    Accuracy,
    Cost,
    Exponents,
    best_scaling,
    depth_steps,
    exponents,
)
from autoglyph.experiments.scaling.networks import ScaledNetworks
from autoglyph.search_spaces.architectures.efficientnet import Scaling
from autoglyph.search_spaces.architectures.efficientnet_family import COMPOUND, LACS_GPU, LACS_TPU

PUBLISHED = {
    "EfficientNet b1-b7 (multiply-adds)": COMPOUND,
    "EfficientNet-X, TPU b1-b7 (LACS)": LACS_TPU,
    "EfficientNet-X, GPU b1-b7 (LACS)": LACS_GPU,
}
OBJECTIVES = {"latency": "LACS: ACC x (LAT/T)^w", "madds": "single objective: ACC x (MAdds/T)^w"}


def scale_families(
    networks: ScaledNetworks,
    accuracy: Accuracy,
    *,
    source: str,
    doublings: int,
    w: float = DEFAULT_W,
    tolerance: float = DEFAULT_TOLERANCE,
    shortlist: int | None = None,
) -> dict[str, Any]:
    """Scales a base by latency and by multiply-adds.

    Args:
        networks: the base and where it runs.
        accuracy: of a scaling, percent.
        source: where that accuracy comes from; it is part of the result.
        doublings: 1 to that many doublings of the cost.
        w: exponent of the cost.
        tolerance: share of a target by which the cost may fall short.
        shortlist: candidates judged per doubling; None for all.

    Returns:
        "device", "batch", "accuracy_source", "w", "tolerance", "families" by objective (title, coefficients and
        members, the base first) and "published" (coefficients of the published families), ready for JSON.
    """
    costs: dict[str, Cost] = {"latency": networks.latency_s, "madds": networks.madds}
    base = networks.base.scaling
    depths = depth_steps(base.depth, [s.repeats for s in networks.base.stages], MAX_DEPTH_FACTOR)
    base_top1 = accuracy(base)
    if base_top1 is None:
        raise ValueError("The base itself is outside the ranges of the accuracy source: scale a smaller base.")
    families = {}
    for objective, cost in costs.items():
        found = [
            best_scaling(
                cost, accuracy, base=base, depths=depths, phi=phi, w=w, tolerance=tolerance, shortlist=shortlist
            )
            for phi in range(1, doublings + 1)
        ]
        growth = exponents(base, [(o.phi, o.scaling) for o in found])
        first = exponents(base, [(1, found[0].scaling)])
        members = [member(networks, base, 0, base_top1, base_top1, 1)]
        members += [member(networks, o.scaling, o.phi, o.top1, o.reward, o.compared) for o in found]
        families[objective] = {
            "title": OBJECTIVES[objective],
            "coefficients": coefficients(growth),
            "coefficients_of_first_doubling": coefficients(first),
            "first_doubling_to_the_power": _power(networks, cost, base, first, doublings),
            "members": members,
        }
    return {
        "device": networks.device.name,
        "batch": networks.batch,
        "accuracy_source": source,
        "w": w,
        "tolerance": tolerance,
        "families": families,
        "published": published(networks),
    }


def member(
    networks: ScaledNetworks, scaling: Scaling, phi: int, top1: float, reward: float, compared: int
) -> dict[str, Any]:
    """One network of a family, ready for JSON; multipliers are relative to the base."""
    base, cost = networks.base.scaling, networks.cost(scaling)
    return {
        "phi": phi,
        "depth": scaling.depth / base.depth,
        "width": scaling.width / base.width,
        "resolution": int(scaling.resolution),
        "madds": cost.madds,
        "parameters": cost.parameters,
        "latency_ms": cost.latency_s * 1e3,
        "latency_ratio": cost.latency_s / networks.latency_s(base),
        "madds_ratio": cost.madds / networks.madds(base),
        "top1": top1,
        "reward": reward,
        "compared": compared,
        "changes": {
            "scaling.depth": float(scaling.depth),
            "scaling.width": float(scaling.width),
            "scaling.resolution": int(scaling.resolution),
        },
    }


def coefficients(growth: Exponents) -> dict[str, float]:
    """Growth per doubling and ratios of its logarithms; a ratio to a depth that does not grow is not finite."""
    return {
        "alpha": growth.alpha,
        "beta": growth.beta,
        "gamma": growth.gamma,
        "ln_width_to_ln_depth": growth.width_to_depth,
        "ln_resolution_to_ln_depth": growth.resolution_to_depth,
    }


def published(networks: ScaledNetworks) -> dict[str, dict[str, float]]:
    """Coefficients of the published families, per doubling of the latency that this base would have so scaled."""
    rows = {}
    for name, family in PUBLISHED.items():
        start, *others = (Scaling(width=w, depth=d, resolution=r) for w, d, r in family)
        base_s = networks.latency_s(start)
        doublings = [math.log2(networks.latency_s(scaling) / base_s) for scaling in others]
        rows[name] = coefficients(exponents(start, zip(doublings, others, strict=True)))
    return rows


def _power(
    networks: ScaledNetworks, cost: Cost, base: Scaling, growth: Exponents, doublings: int
) -> list[dict[str, float]]:
    """What alpha^phi, beta^phi and gamma^phi of the first doubling come to, as multiples of the base's cost."""
    ratios = []
    for phi in range(1, doublings + 1):
        ratios.append({"phi": phi, "cost_ratio": cost(growth.scaled(base, phi)) / cost(base)})
    return ratios


def write_families(result: dict[str, Any], base: Base, folder: Path) -> list[Path]:
    """Writes every member that is not the base as a replayable individual.

    Args:
        result: of `scale_families`.
        base: of the individuals, from `base_of`.
        folder: made if absent.

    Returns:
        The files, "latency-1.json" and so on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for objective, family in result["families"].items():
        for one in family["members"][1:]:
            path = folder / f"{objective}-{one['phi']}.json"
            made_by = {
                "device": result["device"],
                "batch": result["batch"],
                "objective": family["title"],
                "w": result["w"],
                "doublings": one["phi"],
                "accuracy_source": result["accuracy_source"],
                "top1": one["top1"],
                "latency_ms": one["latency_ms"],
            }
            write_individual(path, base, one["changes"], made_by)
            written.append(path)
    return written


def draw_families(result: dict[str, Any], path: Path) -> None:
    """Accuracy against latency of both families, as PNG or SVG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from autoglyph.experiments.pictures.pareto_front import BLUE, ORANGE

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    looks: Sequence[tuple[str, str, str]] = (("latency", BLUE, "o-"), ("madds", ORANGE, "s--"))
    for objective, colour, style in looks:
        family = result["families"][objective]
        members = family["members"]
        axes.plot(
            [m["latency_ms"] for m in members],
            [m["top1"] for m in members],
            style,
            color=colour,
            label=family["title"],
        )
    axes.set_xscale("log")
    axes.set_xlabel(f"latency on {result['device']}, batch {result['batch']} (ms, analytic model)")
    axes.set_ylabel("top-1 accuracy (%)")
    axes.set_title(f"accuracy: {result['accuracy_source'].split(';')[0]}", fontsize=8)
    axes.legend()
    figure.savefig(path, dpi=150)
