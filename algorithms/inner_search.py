"""A search of one part of a space while the rest of an individual is held: what phased and nested flows are made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyglove as pg

from autoglyph.algorithms import catalog
from autoglyph.algorithms.base import Algorithm, Outcomes, Proposals
from autoglyph.algorithms.nsga2 import NSGA2
from autoglyph.algorithms.pyglove_generator import PyGloveGenerator
from autoglyph.algorithms.regularized_evolution import RegularizedEvolution
from autoglyph.search_spaces import Rows
from autoglyph.search_spaces.parts import Part


def default_inner(algorithm: Any, num_objectives: int) -> Algorithm:
    """The algorithm asked for, or the usual one for so many objectives.

    Args:
        algorithm: an algorithm, a `pg.DNAGenerator`, the name of an algorithm, or None.
        num_objectives: columns of fitness.

    Raises:
        ValueError: if it is no algorithm.
    """
    if algorithm is None:
        return NSGA2() if num_objectives > 1 else RegularizedEvolution()
    if isinstance(algorithm, str):
        return catalog.get(algorithm)()
    if isinstance(algorithm, pg.DNAGenerator):
        return PyGloveGenerator(generator=algorithm)
    if not isinstance(algorithm, Algorithm):
        raise ValueError(f"Expected an algorithm to search parts with, received {algorithm!r}.")
    return algorithm


class InnerSearch:
    """An algorithm at work on one part; rows in and out are those of the whole space.

    Args:
        algorithm: its settings; a copy does the work.
        part: what varies.
        held: (L,) row of the whole space that gives everything else.
        num_objectives: columns of fitness.
        seed: of the whole search.
        number: of this inner search within it.

    Attributes:
        trials: different trials told so far.
        idle_asks: asks since the last new trial.
    """

    def __init__(
        self, algorithm: Algorithm, part: Part, held: Rows, num_objectives: int, seed: int, number: int
    ) -> None:
        self._algorithm = algorithm.clone(deep=True)
        self._part, self._held = part, held
        self._others = np.setdiff1d(np.arange(len(held)), part.columns)
        own_seed = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
        self._algorithm.setup(part.genome, num_objectives, own_seed)
        self._known: set[int] = set()
        self.idle_asks = 0

    @property
    def trials(self) -> int:
        """Different trials told so far."""
        return len(self._known)

    @property
    def exhausted(self) -> bool:
        """Whether every point of the part was tried."""
        return 0 < self._part.genome.size <= len(self._known)

    def ask(self, n: int) -> Proposals:
        """At most n rows of the whole space that differ in the part alone."""
        self.idle_asks += 1
        proposals = self._algorithm.ask(n)
        return Proposals(self._part.within(proposals.rows, self._held), proposals.parents)

    def tell(self, outcomes: Outcomes) -> Outcomes:
        """Takes the outcomes that belong to this search, and returns them."""
        own = (outcomes.rows[:, self._others] == self._held[self._others]).all(axis=1)
        taken = Outcomes(outcomes.trials[own], outcomes.rows[own], outcomes.fitness[own])
        if len(taken):
            before = len(self._known)
            self._known.update(taken.trials.tolist())
            if len(self._known) > before:
                self.idle_asks = 0
            self._algorithm.tell(Outcomes(taken.trials, self._part.of(taken.rows), taken.fitness))
        return taken
