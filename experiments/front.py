"""The Pareto front of a search while it runs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from autoglyph.algorithms import pareto
from autoglyph.experiments.objectives import FloatArray

REFERENCE_TRIALS = 100


class FrontArchive:
    """The best trials so far: those that no other one beats in every objective.

    Args:
        num_objectives: columns of fitness; with one objective the front is the best trial.
    """

    def __init__(self, num_objectives: int) -> None:
        self.num_objectives = num_objectives
        self.trials: NDArray[np.int64] = np.empty(0, np.int64)
        self.fitness: FloatArray = np.empty((0, num_objectives))

    def add(self, trials: NDArray[np.int64], fitness: FloatArray) -> None:
        """Takes finished trials in; of equal fitness the earliest stays."""
        if self.num_objectives == 1:
            top = int(fitness[:, 0].argmax())
            if np.isfinite(fitness[top, 0]) and (len(self.fitness) == 0 or fitness[top, 0] > self.fitness[0, 0]):
                self.trials, self.fitness = trials[[top]], fitness[[top]]
            return
        new = np.isfinite(fitness).all(axis=1)
        if len(self.fitness):
            reached = (self.fitness[:, None, :] >= fitness[None, :, :]).all(axis=2).any(axis=0)
            new &= ~reached
        if new.any():
            every = np.concatenate([self.fitness, fitness[new]])
            numbers = np.concatenate([self.trials, trials[new]])
            keep = pareto_indices(every)
            self.trials, self.fitness = numbers[keep], every[keep]

    def summary(self) -> str:
        """Best so far in a few words."""
        if len(self.trials) == 0:
            return "no result yet"
        if self.num_objectives == 1:
            return f"best {self.fitness[0, 0]:.5g}"
        return f"front {len(self.trials)}, best {self.fitness[:, 0].max():.5g}"


def pareto_indices(fitness: FloatArray) -> NDArray[np.int64]:
    """Indices of the front in order of occurrence; of equal points the first.

    Args:
        fitness: (n, M) finite values to maximise.
    """
    front = np.flatnonzero(pareto.nondominated_mask(fitness))
    order = np.lexsort(fitness[front].T)  # stable: of equal points the first comes first
    ranked = fitness[front[order]]
    differs = np.concatenate([[True], (ranked[1:] != ranked[:-1]).any(axis=1)])
    kept: NDArray[np.int64] = front[np.sort(order[differs])]
    return kept


def reference_point(fitness: FloatArray) -> FloatArray:
    """(M,) the worst value of every objective among the first hundred usable trials.

    It does not move when a search goes on, so hypervolumes of one run can be compared over time.
    """
    usable = fitness[np.isfinite(fitness).all(axis=1)][:REFERENCE_TRIALS]
    return usable.min(axis=0) if len(usable) else np.zeros(fitness.shape[1])


def front_hypervolume(front: FloatArray, reference: FloatArray) -> float:
    """Volume that a front dominates above a reference point; with one objective, the distance to it."""
    inside = front[(front > reference).all(axis=1)] if len(front) else front
    return float(pareto.hypervolume(inside, reference)) if len(inside) else 0.0
