"""Progressive dynamic hurdles (So, Liang and Le 2019, "The Evolved Transformer", Algorithm 1).

Children are trained for a small budget; each that exceeds the mean of the population there earns the next one.
The first hurdle is set after the first `children_per_hurdle` children, and one more after as many again.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Self

from autoglyph.algorithms.hurdles.base import Finished, Gate, HurdleRule, NewHurdle


class ProgressiveDynamicHurdles(HurdleRule):
    """One hurdle more after every so many children: the mean of the members that were trained longest.

    A hurdle applies to children proposed after it, and to no child twice. The first one is the mean of the whole
    living population. Each later one is the mean of the living members that were measured at as many rungs as
    any child so far; where none of them lives, it is postponed to the next child.

    Attributes:
        children_per_hurdle: children between two hurdles (m in the paper), the initial population not counted; 0 for
            as many as make all stages of a search equally long.
    """

    children_per_hurdle: int = 0

    def for_budget(self, children: int, num_rungs: int) -> Self:
        """The rule with as many stages as there are rungs, all of one length, unless their length is given."""
        if self.children_per_hurdle:
            return self
        settled: Self = self.clone(deep=True, override={"children_per_hurdle": max(1, children // max(1, num_rungs))})
        return settled

    def _start(self) -> None:
        if self.children_per_hurdle < 1:
            raise ValueError(
                f"Expected children_per_hurdle of at least 1, received {self.children_per_hurdle}: "
                "set it, or let the search settle it with for_budget."
            )
        self._finished: dict[int, Finished] = {}
        self._hurdles: list[float] = []
        self._postponed = False

    def gate(self) -> Gate:
        """The hurdles in force."""
        return tuple(self._hurdles)

    def tell(self, finished: Finished, members: Collection[int] | None) -> list[NewHurdle]:
        """Counts a child, and sets the hurdle that is due."""
        self._finished.setdefault(finished.trial, finished)
        children = len(self._finished) - self._initial
        stage = len(self._hurdles)
        due = children >= (stage + 1) * int(self.children_per_hurdle)
        if not due or stage >= self._num_rungs - 1:
            return []
        alive = [self._finished[t] for t in members if t in self._finished] if members is not None else []
        alive = alive or list(self._finished.values())
        setting = [f.fitness for f in alive if f.rungs > stage and math.isfinite(f.fitness)]
        if stage == 0:
            setting = [f.fitness for f in alive if math.isfinite(f.fitness)]
        if not setting:
            said, self._postponed = self._postponed, True
            return [] if said else [NewHurdle(stage, None, children, 0)]
        self._postponed = False
        self._hurdles.append(math.fsum(setting) / len(setting))
        return [NewHurdle(stage, self._hurdles[-1], children, len(setting))]
