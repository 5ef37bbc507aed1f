"""No hurdles: every child is trained to the last rung."""

from __future__ import annotations

import math

from autoglyph.algorithms.hurdles.base import Gate, HurdleRule


class NoHurdles(HurdleRule):
    """Trains every child to the end, unless its fitness is no number."""

    def _start(self) -> None:
        self._gate: Gate = (-math.inf,) * (self._num_rungs - 1)

    def gate(self) -> Gate:
        """A hurdle after every rung but the last that any finite fitness exceeds."""
        return self._gate
