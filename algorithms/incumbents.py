"""The best individuals told so far, and the one to go on with."""

from __future__ import annotations

import numpy as np

from autoglyph.algorithms.base import Outcomes
from autoglyph.algorithms.pareto import nondominated_mask
from autoglyph.search_spaces import Rows


class Incumbents:
    """The Pareto front of what was told.

    Args:
        num_objectives: columns of fitness.
    """

    def __init__(self, num_objectives: int) -> None:
        self._fitness = np.zeros((0, num_objectives))
        self._trials = np.zeros(0, np.int64)
        self._rows: Rows | None = None

    def add(self, outcomes: Outcomes) -> None:
        """Takes trials; those that failed, and those known already, change nothing."""
        fresh = np.isfinite(outcomes.fitness).all(axis=1) & ~np.isin(outcomes.trials, self._trials)
        rows = outcomes.rows[fresh] if self._rows is None else np.concatenate([self._rows, outcomes.rows[fresh]])
        trials = np.concatenate([self._trials, outcomes.trials[fresh]])
        fitness = np.concatenate([self._fitness, outcomes.fitness[fresh]])
        kept = nondominated_mask(fitness)
        self._rows, self._trials, self._fitness = rows[kept], trials[kept], fitness[kept]

    @property
    def front(self) -> Outcomes | None:
        """The individuals that no other one dominates, None before the first."""
        if self._rows is None or not len(self._rows):
            return None
        return Outcomes(self._trials, self._rows, self._fitness)

    def choose(self) -> Rows | None:
        """(L,) the best individual; with several objectives the one nearest to the ideal point.

        Distances are measured after scaling every objective to the extent of the front; the earliest wins ties.
        """
        front = self.front
        if front is None:
            return None
        ideal, nadir = front.fitness.max(axis=0), front.fitness.min(axis=0)
        extent = np.where(ideal > nadir, ideal - nadir, 1.0)
        distance = (((ideal - front.fitness) / extent) ** 2).sum(axis=1)
        order = np.lexsort((front.trials, distance))
        chosen: Rows = front.rows[order[0]]
        return chosen
