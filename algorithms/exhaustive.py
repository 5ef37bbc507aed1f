"""Exhaustive search: every point once, in PyGlove's sweeping order."""

from __future__ import annotations

import numpy as np

from autoglyph.algorithms.base import Algorithm, Outcomes, Proposals, without_parents


class Exhaustive(Algorithm):
    """Every individual of a finite space, once.

    Attributes:
        batch: proposals asked for at once.
        start: number of the first point, so that a sweep can be divided.
    """

    batch: int = 256
    start: int = 0

    @property
    def batch_size(self) -> int:
        """The setting."""
        return int(self.batch)

    @property
    def multi_objective(self) -> bool:
        """Any number of objectives."""
        return True

    def tell(self, outcomes: Outcomes) -> None:
        """Learns nothing."""

    def _start(self) -> None:
        self._expect_at_least(1, "batch")
        if self._genome.size < 0:
            raise ValueError("An infinite space cannot be enumerated: choose another algorithm, such as random.")
        if not 0 <= self.start < self._genome.size:
            raise ValueError(f"Expected start from 0 to {self._genome.size - 1}, received {self.start}.")
        self._next = int(self.start)

    def _propose(self, n: int, rng: np.random.Generator) -> Proposals:
        stop = min(self._next + n, self._genome.size)
        rows = self._genome.rows_at(self._next, stop)
        self._next = stop
        return without_parents(rows)
