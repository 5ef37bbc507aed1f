"""What a hurdle rule is: it says after each rung whether a child is trained further.

Like an algorithm, a rule is a fold: its state follows from the order of what it was told, it reads no clock and
draws no random number. Fitness is always maximised; with several objectives it is the first one.
"""

from __future__ import annotations

import abc
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple, Self

import pyglove as pg

Gate = tuple[float, ...]
"""Hurdles frozen for a child: it goes beyond rung i while its fitness there is strictly above gate[i]."""


class NewHurdle(NamedTuple):
    """A hurdle that came into force, or could not.

    Attributes:
        rung: after which it stands.
        value: fitness to exceed; None where it is postponed because no member can set it.
        children: finished when it was set.
        members: whose mean fitness it is.
    """

    rung: int
    value: float | None
    children: int
    members: int


@dataclass(frozen=True)
class Finished:
    """A child that will not be trained further.

    Attributes:
        trial: its number.
        fitness: after its last rung; -inf if it failed.
        rungs: how many it was measured at; 0 if it failed before the first.
    """

    trial: int
    fitness: float
    rungs: int


class HurdleRule(pg.Object, abc.ABC):
    """Settings as symbolic fields, state made by `setup`; a concrete rule is one file and is never subclassed."""

    def setup(self, num_rungs: int, initial: int) -> None:
        """Starts the fold afresh.

        Args:
            num_rungs: budgets of the child program.
            initial: individuals of the algorithm's initial population, 0 if it has none.

        Raises:
            ValueError: if a setting is out of range.
        """
        if num_rungs < 1:
            raise ValueError(f"Expected a child program with at least one rung, received {num_rungs}.")
        self._num_rungs = num_rungs
        self._initial = initial
        self._start()

    def for_budget(self, children: int, num_rungs: int) -> Self:
        """The rule with what it leaves open settled for a search of so many children, the initial ones not counted."""
        return self

    @abc.abstractmethod
    def _start(self) -> None:
        """Makes the empty state; `_num_rungs` and `_initial` are set."""

    @abc.abstractmethod
    def gate(self) -> Gate | None:
        """The hurdles of a child that is proposed now; None for a rule that is asked after every rung."""

    def passes(self, trial: int, rung: int, fitness: float) -> bool:
        """Whether a child goes beyond a rung; called in order of arrival, by rules without a gate alone.

        Args:
            trial: the child.
            rung: number of the rung, from 0.
            fitness: there; -inf if it is not a number.
        """
        raise NotImplementedError(f"{type(self).__name__} freezes its hurdles in a gate.")

    def tell(self, finished: Finished, members: Collection[int] | None) -> list[NewHurdle]:
        """Takes a finished child, after the algorithm was told of it.

        Args:
            finished: the child.
            members: trials of the algorithm's living population, None if it has none.

        Returns:
            Hurdles that came into force, or were postponed, with this child.
        """
        return []


def passes_gate(gate: Gate, rung: int, fitness: float) -> bool:
    """Whether a child with these frozen hurdles goes beyond a rung.

    A gate ends with a sentinel of +infinity, left unwritten. (The printed algorithm of So et al. 2019 appends
    one; with -infinity, as it is remembered to be typeset, the loop would never end.)
    """
    return rung < len(gate) and fitness > gate[rung]
