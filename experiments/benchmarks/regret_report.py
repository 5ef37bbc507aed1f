"""What searches leave to be desired: regret over time, ranks with their tests, and a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autoglyph.experiments.benchmarks.simulated_training import Floats

POINTS = 200


@dataclass(frozen=True)
class Regrets:
    """Regret of several searches by each of several tools.

    Attributes:
        time: (POINTS,) simulated time.
        curves: by tool, (searches, POINTS) regret in percentage points; NaN before a search has trained a child.
    """

    time: Floats
    curves: Mapping[str, Floats]

    @classmethod
    def of(cls, searches: Mapping[str, Sequence[tuple[Floats, Floats]]], best: float, budget: float) -> Regrets:
        """Regrets from when children were done and their accuracies.

        Args:
            searches: by tool, (time, accuracy) of the children of each search, in their order.
            best: accuracy that leaves nothing to be desired.
            budget: end of the time.
        """
        time = np.linspace(0.0, budget, POINTS + 1)[1:]
        curves = {}
        for name, found in searches.items():
            rows = []
            for spent, accuracy in found:
                done = np.searchsorted(spent, time, side="right")
                # the last child may end a little after the budget: it was begun within it
                done[-1] = len(spent)
                incumbent = np.concatenate([[np.nan], best - np.maximum.accumulate(accuracy)])
                rows.append(incumbent[done])
            curves[name] = np.array(rows)
        return cls(time, curves)

    @property
    def final(self) -> dict[str, Floats]:
        """By tool, (searches,) regret at the end."""
        return {name: curve[:, -1] for name, curve in self.curves.items()}


def rank_tests(final: Mapping[str, Floats], reference: str) -> dict[str, float]:
    """Mean ranks, Friedman's test over all tools, and Wilcoxon's of a reference against each other one.

    Args:
        final: by tool, (searches,) regret; the searches are paired by seed.
        reference: the tool that is compared with each other.

    Returns:
        Mean ranks (1 is best) and p-values; those of Wilcoxon's signed-rank test are Holm's, for all comparisons
        together, two-sided.
    """
    from scipy import stats

    names = list(final)
    values = np.stack([final[name] for name in names], axis=1)
    ranks = stats.rankdata(values, axis=1).mean(axis=0)
    found = {f"mean rank, {name}": float(rank) for name, rank in sorted(zip(names, ranks, strict=True), key=_second)}
    found["Friedman p-value over all tools"] = float(stats.friedmanchisquare(*values.T).pvalue)
    raw = {}
    for name in names:
        difference = final[reference] - final[name]
        if name != reference:
            raw[name] = 1.0 if not difference.any() else float(stats.wilcoxon(difference, zero_method="zsplit").pvalue)
    held = 0.0
    for at, (name, p) in enumerate(sorted(raw.items(), key=_second)):
        held = max(held, min(1.0, p * (len(raw) - at)))
        found[f"Wilcoxon p-value (Holm), {reference} against {name}"] = held
    return found


def save_curves(regrets: Regrets, title: str, axis: str, peers: Sequence[str], reference: str, path: Path) -> None:
    """Draws median regret over time with bands of the middle half: ours on the left, the peers on the right.

    Args:
        regrets: what to draw.
        title: above both.
        axis: name and units of the time.
        peers: drawn on the right, beside the reference; all others are drawn on the left.
        reference: drawn on both sides.
        path: .png, .svg or .pdf.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from autoglyph.experiments.pictures.pareto_front import replaced_file

    figure = Figure(figsize=(14, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    ours = [name for name in regrets.curves if name not in peers]
    for number, names in enumerate((ours, [reference, *peers])):
        axes = figure.add_subplot(1, 2, number + 1)
        for at, name in enumerate(names):
            curve = regrets.curves[name]
            known = np.isfinite(curve).all(axis=0)
            low, middle, high = np.quantile(curve[:, known], (0.25, 0.5, 0.75), axis=0)
            style = _STYLES[at // len(_COLOURS) % len(_STYLES)]
            colour = _COLOURS[at % len(_COLOURS)]
            axes.plot(regrets.time[known], middle, style, color=colour, label=name, linewidth=1.6)
            axes.fill_between(regrets.time[known], low, high, color=colour, alpha=0.10, linewidth=0)
        axes.set_yscale("symlog", linthresh=0.01)
        axes.set_ylim(bottom=0)
        axes.set_xlabel(axis)
        axes.set_ylabel("regret (percentage points of accuracy)")
        axes.set_title("Autoglyph" if number == 0 else "other tools", loc="left", fontsize=10)
        axes.legend(fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, fontsize=11)
    with replaced_file(path) as temporary:
        figure.savefig(temporary, dpi=110)


def _second(pair: tuple[str, float]) -> float:
    return float(pair[1])


# Okabe and Ito's colours, told apart by colour-blind readers; lines past the eighth are dashed
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
_STYLES = ("-", "--", ":")
