"""What was decided, side by side for many trials, and which decisions matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.experiments.objectives import FloatArray
from autoglyph.experiments.run import Run
from autoglyph.experiments.views.axes import Axis, axis

SAMPLE = 3000
_TREES, _REPEATS, _FEWEST = 50, 3, 40


@dataclass(frozen=True)
class Decision:
    """One decision of many trials.

    Attributes:
        name: as PyGlove writes it.
        candidates: what may be chosen; empty where the decision is a number.
        values: (k,) index of the candidate, or the number; NaN where the decision was not made.
    """

    name: str
    candidates: list[Any]
    values: FloatArray


@dataclass(frozen=True)
class Decisions:
    """Decisions and a result of some trials.

    Attributes:
        run: whose they are.
        trials: (k,) numbers.
        decisions: in the order of the space, or by importance.
        result: the axis by which trials are judged; its values are of all trials.
        of: how many trials there were to choose from.
    """

    run: Run
    trials: NDArray[np.int64]
    decisions: list[Decision]
    result: Axis
    of: int


@dataclass(frozen=True)
class Importance:
    """How much each decision matters to a result.

    Attributes:
        run: whose trials were asked.
        result: the axis that was explained.
        names: decisions, the most important first.
        values: (L,) by how much R2 falls on trials that the forest has not seen when the decision is shuffled.
        spread: (L,) standard deviation over the shuffles.
        r2: of the forest on those trials; near 0 the importances say nothing.
        trials: how many were used.
    """

    run: Run
    result: Axis
    names: list[str]
    values: FloatArray
    spread: FloatArray
    r2: float
    trials: int


def side_by_side(
    run: Run, result: str | None = None, *, limit: int = 500, names: Sequence[str] = (), width: int = 12
) -> Decisions:
    """Decisions of the front and of an even sample of the other trials.

    Args:
        run: what to look at.
        result: an axis of the run, by default the first objective.
        limit: most trials.
        names: decisions to show; by default those with more than one value, in the order of the space.
        width: most decisions.
    """
    shown = axis(run, result or run.objectives[0].name)
    usable = np.flatnonzero(np.isfinite(shown.values))
    even = usable[np.linspace(0, len(usable) - 1, min(limit, len(usable))).astype(int)] if len(usable) else usable
    front = run.front[np.isfinite(shown.values[run.front])]
    trials = np.union1d(even[: max(0, limit - len(front))] if len(usable) > limit else even, front[:limit])
    genes = np.where(run.active[trials], run.genes[trials], np.nan)
    columns = run.record.columns
    chosen = [i for i, c in enumerate(columns) if c["name"] in names] or [
        i for i in range(len(columns)) if len(np.unique(genes[:, i][np.isfinite(genes[:, i])])) > 1
    ]
    if names:
        chosen.sort(key=lambda i: list(names).index(columns[i]["name"]))
    decisions = [
        Decision(columns[i]["name"], list(columns[i]["candidates"]) if columns[i]["kind"] == "choice" else [],
                 genes[:, i])
        for i in chosen[:width]
    ]  # fmt: skip
    return Decisions(run, trials, decisions, shown, len(usable))


def importance(run: Run, result: str | None = None, *, sample: int = SAMPLE) -> Importance:
    """Permutation importance (Breiman 2001) of every decision in a random forest, on trials it was not fitted to.

    A decision that was not made counts as a value of its own. The same trials give the same figures.

    Args:
        run: whose trials to ask.
        result: an axis of the run, by default the first objective.
        sample: most trials to use, drawn evenly over the run.

    Raises:
        ValueError: if fewer than 40 trials have that result.
    """
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance

    explained = axis(run, result or run.objectives[0].name)
    usable = np.flatnonzero(np.isfinite(explained.values))
    if len(usable) < _FEWEST:
        raise ValueError(f"The importance of decisions needs {_FEWEST} trials with a result, there are {len(usable)}.")
    chosen = usable[np.linspace(0, len(usable) - 1, min(sample, len(usable))).astype(int)]
    shuffled = np.random.default_rng(0).permutation(chosen)
    genes = np.where(run.active[shuffled] & np.isfinite(run.genes[shuffled]), run.genes[shuffled], -1.0)
    target = explained.values[shuffled]
    cut = len(shuffled) * 2 // 3
    forest = RandomForestRegressor(_TREES, min_samples_leaf=3, random_state=0, n_jobs=1)
    forest.fit(genes[:cut], target[:cut])
    r2 = float(forest.score(genes[cut:], target[cut:]))
    found: Any = permutation_importance(forest, genes[cut:], target[cut:], n_repeats=_REPEATS, random_state=0, n_jobs=1)
    order = np.argsort(-found.importances_mean, kind="stable")
    names = [run.record.columns[i]["name"] for i in order]
    return Importance(run, explained, names, found.importances_mean[order], found.importances_std[order], r2,
                      len(shuffled))  # fmt: skip
