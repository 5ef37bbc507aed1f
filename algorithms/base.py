"""What every search algorithm is: a fold over the trials it was told of.

An algorithm is a symbolic value (its settings) that `setup` turns into a fold: `ask` proposes rows, `tell`
takes outcomes, and its state is a function of the seed and of the ordered asks and tells alone. The
randomness of ask number k comes from `np.random.default_rng([seed, k])`, so replaying a record rebuilds the
state exactly. An algorithm reads no clock, writes no file and knows no objective's name: fitness is always
maximised.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyglove as pg
from numpy.typing import NDArray

from autoglyph.search_spaces import Genome, Rows

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


class Proposals(NamedTuple):
    """What an ask returns.

    Attributes:
        rows: (n, L) canonical rows, at most as many as asked for; none means the algorithm has nothing left.
        parents: (n, 2) trial numbers that each row was made from, -1 where there is none.
    """

    rows: Rows
    parents: IntArray


@dataclass(frozen=True)
class Outcomes:
    """Finished trials, in the order in which the search told them.

    Attributes:
        trials: (n,) trial numbers; a number told before marks a duplicate that was not paid for again.
        rows: (n, L) canonical rows.
        fitness: (n, M) values to maximise; -inf in every column of an infeasible or failed trial.
    """

    trials: IntArray
    rows: Rows
    fitness: FloatArray

    def __len__(self) -> int:
        return len(self.trials)


class Algorithm(pg.Object, abc.ABC):
    """A search algorithm: settings as symbolic fields, state made by `setup`.

    A concrete algorithm is one file named as in the literature, is never subclassed, and implements
    `_start`, `_propose` and `tell`.
    """

    @property
    def batch_size(self) -> int:
        """How many proposals to ask for at once when evaluation is cheap: costs no search quality."""
        return 1

    @property
    def multi_objective(self) -> bool:
        """Whether `tell` may bring more than one fitness column."""
        return False

    @property
    def initial_population(self) -> int:
        """Individuals that are proposed before the first child, 0 for an algorithm without a population."""
        return 0

    def members(self) -> IntArray | None:
        """Trial numbers of the living population, None for an algorithm without one."""
        return None

    def setup(self, genome: Genome, num_objectives: int, seed: int) -> None:
        """Starts the fold afresh.

        Args:
            genome: the compiled space.
            num_objectives: columns of every fitness array that `tell` will bring.
            seed: non-negative seed of all randomness.

        Raises:
            ValueError: if the algorithm cannot serve that many objectives or that space.
        """
        if num_objectives < 1:
            raise ValueError(f"Expected at least one objective, received {num_objectives}.")
        if num_objectives > 1 and not self.multi_objective:
            raise ValueError(
                f"{type(self).__name__} maximises one objective, received {num_objectives}: "
                "choose nsga2, or combine the objectives into one with lacs(...)."
            )
        self._genome = genome
        self._num_objectives = num_objectives
        self._seed = seed
        self._asks = 0
        self._start()

    def ask(self, n: int) -> Proposals:
        """Proposes at most n rows.

        Args:
            n: how many rows are wanted, at least 1.

        Returns:
            The proposals; none when the algorithm has nothing left to propose.
        """
        rng = np.random.default_rng([self._seed, self._asks])
        self._asks += 1
        return self._propose(n, rng)

    def _expect_at_least(self, least: float, *settings: str) -> None:
        """Refuses settings, by name, that are less than `least`; for `_start`."""
        for name in settings:
            if getattr(self, name) < least:
                raise ValueError(f"Expected {name} of at least {least}, received {getattr(self, name)}.")

    @abc.abstractmethod
    def tell(self, outcomes: Outcomes) -> None:
        """Takes finished trials into account, in order."""

    @abc.abstractmethod
    def _start(self) -> None:
        """Makes the empty state; `_genome` and `_num_objectives` are set."""

    @abc.abstractmethod
    def _propose(self, n: int, rng: np.random.Generator) -> Proposals:
        """Proposes at most n rows with the randomness of this ask."""


def without_parents(rows: Rows) -> Proposals:
    """Proposals that were made from nothing."""
    return Proposals(rows, np.full((len(rows), 2), -1, np.int64))
