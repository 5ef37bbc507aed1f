"""Hypervolume and best-so-far over trials and over time, kept up to date point by point."""

from __future__ import annotations

import bisect
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autoglyph.algorithms import pareto
from autoglyph.experiments.front import front_hypervolume, pareto_indices
from autoglyph.experiments.objectives import FloatArray
from autoglyph.experiments.run import Run

CHECKPOINTS = 200


@dataclass(frozen=True)
class Progress:
    """How a search got better.

    Attributes:
        run: the search.
        trials: (k,) numbers of finished trials at which something is said, rising.
        seconds: (k,) seconds of searching until then, pauses left out; None where the record has no times.
        best: (k, M) the best value of each objective so far, in its own unit; NaN before the first.
        hypervolume: (k,) volume that the front so far dominates above the run's reference point.
    """

    run: Run
    trials: NDArray[np.int64]
    seconds: FloatArray | None
    best: FloatArray
    hypervolume: FloatArray


def progress(run: Run) -> Progress:
    """Progress of a run; exact at every trial it names, the last one among them."""
    fitness = run.fitness
    if len(run) == 0 or not np.isfinite(fitness).any():
        empty = np.zeros((0, fitness.shape[1]))
        return Progress(run, np.zeros(0, np.int64), None, empty, np.zeros(0))
    best = np.maximum.accumulate(fitness, axis=0)
    better = np.flatnonzero((np.diff(best, axis=0, prepend=-np.inf) > 0).any(axis=1))
    at = np.unique(np.concatenate([_some(better), _some(np.arange(len(run))), [len(run) - 1]]))
    values = hypervolumes(fitness, run.reference, at + 1)
    shown = best[at] * np.array([o.sign for o in run.objectives], np.float64)
    shown[~np.isfinite(shown)] = np.nan
    searched_s = run.searched_s
    return Progress(run, at + 1, None if searched_s is None else searched_s[at], shown, values)


def hypervolumes(fitness: FloatArray, reference: FloatArray, counts: NDArray[np.int64]) -> FloatArray:
    """(k,) hypervolume of the first `counts` trials.

    Args:
        fitness: (n, M) values to maximise, -inf in trials that failed.
        reference: (M,) worst corner.
        counts: (k,) rising numbers of trials.
    """
    columns = fitness.shape[1]
    if columns == 1:
        best = np.maximum.accumulate(fitness[:, 0])[np.asarray(counts) - 1]
        return np.where(np.isfinite(best), np.maximum(best - reference[0], 0.0), 0.0)
    above = fitness - reference
    usable = np.flatnonzero(np.isfinite(above).all(axis=1) & (above > 0).all(axis=1))
    values = np.zeros(len(counts))
    if columns == 2:
        stairs, area, done = Stairs(), 0.0, 0
        for i, end in enumerate(np.searchsorted(usable, counts)):
            for x, y in above[usable[done:end]].tolist():
                area += stairs.add(x, y)
            values[i], done = area, end
        return values
    front, done = np.zeros((0, columns)), 0
    for i, end in enumerate(np.searchsorted(usable, counts)):
        new = above[usable[done:end]]
        if len(new):
            every = np.concatenate([front, new])
            grown = every[pareto_indices(every)]
            changed, front, done = len(grown) != len(front) or not np.array_equal(grown, front), grown, end
            values[i] = _volume(front) if changed else values[i - 1]
        elif i:
            values[i] = values[i - 1]
    return values


class Stairs:
    """The boundary of what points dominate in the positive quadrant, and how much each new point adds to it."""

    def __init__(self) -> None:
        self._xs: list[float] = []  # rising
        self._ys: list[float] = []  # falling

    def add(self, x: float, y: float) -> float:
        """Takes a point; returns the area that it alone dominates."""
        xs, ys = self._xs, self._ys
        place = bisect.bisect_left(xs, x)
        if place < len(xs) and ys[place] >= y:
            return 0.0
        right = ys[place] if place < len(xs) else 0.0
        end = place + 1 if place < len(xs) and xs[place] == x else place
        if end > place:
            right = ys[end] if end < len(ys) else 0.0
        start = place
        while start > 0 and ys[start - 1] <= y:
            start -= 1
        area, edge, height = 0.0, xs[start - 1] if start else 0.0, 0.0
        for i in range(start, end):
            height = ys[i]
            area += (xs[i] - edge) * (y - height)
            edge = xs[i]
        if edge < x:
            area += (x - edge) * (y - right)
        xs[start:end], ys[start:end] = [x], [y]
        return area


def _volume(front: FloatArray) -> float:
    if front.shape[1] != 3:
        return float(pareto.hypervolume(front, np.zeros(front.shape[1])))
    stairs, area, volume = Stairs(), 0.0, 0.0
    order = np.argsort(-front[:, 2], kind="stable")
    depths = np.append(front[order, 2], 0.0).tolist()
    for i, (x, y, _) in enumerate(front[order].tolist()):
        area += stairs.add(x, y)
        volume += area * (depths[i] - depths[i + 1])
    return volume


def _some(indices: NDArray[np.int64]) -> NDArray[np.int64]:
    if len(indices) <= CHECKPOINTS:
        return indices
    return indices[np.linspace(0, len(indices) - 1, CHECKPOINTS).round().astype(np.int64)]


def final_hypervolume(run: Run, reference: FloatArray) -> float:
    """Hypervolume of a whole run above a reference point of one's own, for comparison with other runs."""
    return front_hypervolume(run.fitness[run.front], reference)
