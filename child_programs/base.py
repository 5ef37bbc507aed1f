"""What every child program is: training in segments, a measurement after each.

A child program yields one measurement a rung and goes no further until it is asked for the next one, so a
hurdle rule stops it between rungs by closing the generator. A program that can go on in another process gives its
state with each measurement and takes it back as `checkpoint`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from autoglyph.child_programs.datasets import Dataset


@dataclass(frozen=True)
class Rung:
    """A budget after which a child is measured.

    Attributes:
        name: what it is called in a record, such as "4 epochs".
        units: what the budget is counted in, such as "epochs".
        amount: budget from the beginning of the training, not from the rung before.
    """

    name: str
    units: str
    amount: float


@dataclass(frozen=True)
class Measurement:
    """What a child is worth after a rung.

    Attributes:
        rung: number of the rung, from 0.
        values: by objective; percentages from 0 to 100.
        seconds: wall-clock time of this rung alone.
        state: gives what the training needs to go on from here in another process, as bytes that can be read
            without running code; to be called before the next measurement is asked for. None where a training cannot
            be taken up again.
    """

    rung: int
    values: Mapping[str, float]
    seconds: float
    state: Callable[[], bytes] | None = None


class ChildFailed(Exception):
    """A child that cannot be measured, such as one whose loss is no number; one sentence says why."""


class ChildProgram(Protocol):
    """Says what an individual is worth by training it.

    Two things are left to the program. Where `run` has a keyword `checkpoint`, a training that was cut short is
    taken up again from the state that its last measurement gave; without it, it is begun again. Where there is a
    method `prepare(cores)`, it is called once in every worker process, before its first child and outside the limits
    of children.
    """

    @property
    def rungs(self) -> Sequence[Rung]:
        """Budgets, from small to large."""
        ...

    def run(self, candidate: Any, *, seed: int, data: Dataset) -> Iterator[Measurement]:
        """Trains a candidate rung by rung.

        Args:
            candidate: an individual of the space.
            seed: of all randomness of the training.
            data: what to train and measure on.

        Yields:
            One measurement a rung; closing the generator ends the training.

        Raises:
            ChildFailed: if the candidate cannot be measured.
        """
        ...
