"""Training by rungs: the curve of every child, the hurdles between rungs, and who was stopped where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from autoglyph.experiments.objectives import FloatArray
from autoglyph.experiments.pictures.pareto_front import axis_label
from autoglyph.experiments.run import Run


class Hurdle(NamedTuple):
    """A hurdle that was set.

    Attributes:
        rung: after which it stands.
        value: to exceed, in the unit of the first objective; None where it was postponed.
        children: finished when it was set.
    """

    rung: int
    value: float | None
    children: int


@dataclass(frozen=True)
class Rungs:
    """Trained children.

    Attributes:
        run: whose they are.
        trials: (k,) numbers.
        values: (k, R) first objective at each rung in its own unit, NaN from where a child was stopped.
        reached: (k,) rungs that each was measured at.
        failed: (k,) mask of those that failed.
        hurdles: in the order in which they were set.
        label: of the first objective, with its unit.
    """

    run: Run
    trials: NDArray[np.int64]
    values: FloatArray
    reached: NDArray[np.int64]
    failed: NDArray[np.bool_]
    hurdles: list[Hurdle]
    label: str

    def stopped(self) -> NDArray[np.int64]:
        """(R,) children whose last measurement was at each rung, failed ones left out."""
        last = self.reached[~self.failed & (self.reached > 0)] - 1
        return np.bincount(last, minlength=self.values.shape[1]).astype(np.int64)


def rungs(run: Run) -> Rungs:
    """The rungs of a run; no trials where nothing was trained."""
    objective = run.objectives[0]
    measured = run.rungs
    trials = np.array(sorted(measured), np.int64)
    reached = np.array([len(measured[t]) for t in trials.tolist()], np.int64)
    values = np.full((len(trials), int(reached.max(initial=0))), np.nan)
    function = objective.function()
    for rung in range(values.shape[1]):
        some = np.flatnonzero(reached > rung)
        metrics = {}
        for name in objective.metrics:
            own = [measured[t][rung].get(name) for t in trials[some].tolist()]
            cheap = run.metrics[name][trials[some]] if name in run.metrics else np.full(len(some), np.nan)
            metrics[name] = np.array(
                [v if isinstance(v, int | float) else c for v, c in zip(own, cheap.tolist(), strict=True)], np.float64
            )
        values[some, rung] = function(metrics)
    hurdles = [
        Hurdle(int(p["rung"]), None if p["value"] is None else objective.sign * float(p["value"]), int(p["children"]))
        for _, kind, p in run.events
        if kind == "hurdle"
    ]
    label = axis_label(objective.name)
    return Rungs(run, trials, values, reached, ~run.completed[trials], hurdles, label)


def shown_curves(seen: Rungs, limit: int = 120) -> NDArray[np.int64]:
    """Rows of `seen` to draw: the best at the last rung, and an even sample of the others."""
    if len(seen.trials) <= limit:
        return np.arange(len(seen.trials))
    sign = seen.run.objectives[0].sign
    last = np.array([row[np.isfinite(row)][-1] if np.isfinite(row).any() else -sign * np.inf for row in seen.values])
    best = np.lexsort((-sign * last, -seen.reached))[: limit // 3]
    even = np.linspace(0, len(seen.trials) - 1, limit - len(best)).astype(int)
    return np.union1d(best, even)
