"""Asynchronous successive halving (Li et al. 2020, "A System for Massively Parallel Hyperparameter Tuning").

The stopping form: a child goes on while it is among the best 1/eta of all that were measured at its rung so far.
"""

from __future__ import annotations

import bisect
import math

from autoglyph.algorithms.hurdles.base import HurdleRule


class SuccessiveHalving(HurdleRule):
    """Lets the best 1/eta of a rung go on, judged as they come.

    Attributes:
        eta: reduction factor; of every eta children at a rung, one goes on.
    """

    eta: int = 3

    def _start(self) -> None:
        if self.eta < 2:
            raise ValueError(f"Expected eta of at least 2, received {self.eta}.")
        self._measured: list[list[float]] = [[] for _ in range(self._num_rungs)]

    def gate(self) -> None:
        """None: every rung is judged when it is reached."""

    def passes(self, trial: int, rung: int, fitness: float) -> bool:
        """Whether the child is among the best 1/eta measured at this rung, itself included; ties go on."""
        measured = self._measured[rung]
        if not math.isfinite(fitness):
            return False
        bisect.insort(measured, fitness)
        kept = max(1, len(measured) // int(self.eta))
        return rung < self._num_rungs - 1 and fitness >= measured[-kept]
