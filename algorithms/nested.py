"""Nested search: for each candidate of an outer part, a search of the rest; the best found is what it is worth.

The factorised flow of PyGlove (Peng et al. 2020, "PyGlove: Symbolic Programming for Automated Machine
Learning"), used in co-design to give every accelerator its own architecture search, or the reverse.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoglyph.algorithms.base import Algorithm, Outcomes, Proposals, without_parents
from autoglyph.algorithms.incumbents import Incumbents
from autoglyph.algorithms.inner_search import InnerSearch, default_inner
from autoglyph.algorithms.nsga2 import NSGA2
from autoglyph.algorithms.regularized_evolution import RegularizedEvolution
from autoglyph.search_spaces import Rows
from autoglyph.search_spaces.parts import split

_MAX_IDLE_ASKS = 10
_MAX_REPEATS = 20
_POPULATION = 16


class Nested(Algorithm):
    """An inner search for every candidate of an outer one.

    Attributes:
        outer_part: what the outer search varies, see `parts.Chosen`; "" for the first top-level part.
        inner_trials: new trials of every inner search.
        outer: algorithm of the outer part, or its name; None for one with a population of 16.
        inner: algorithm of the rest, or its name; None for the usual one of so many objectives with a population of 16.
        warm_start: whether an inner search begins with the best that earlier ones found.
    """

    outer_part: Any = ""
    inner_trials: int = 50
    outer: Any = None
    inner: Any = None
    warm_start: bool = True

    @property
    def multi_objective(self) -> bool:
        """Whether both algorithms take several objectives."""
        return all(default_inner(each, 2).multi_objective for each in (self.outer, self.inner))

    @property
    def batch_size(self) -> int:
        """That of the inner algorithm, at most an inner search."""
        return min(self._small(self.inner).batch_size, max(1, int(self.inner_trials)))

    def _small(self, algorithm: Any) -> Algorithm:
        if algorithm is not None:
            return default_inner(algorithm, 1)
        if getattr(self, "_num_objectives", 1) > 1:
            return NSGA2(population_size=_POPULATION)
        return RegularizedEvolution(population_size=_POPULATION, tournament_size=4)

    def _start(self) -> None:
        self._expect_at_least(1, "inner_trials")
        self._outer_part, self._inner_part = split(self._genome, self.outer_part)
        self._template = self._genome.random(1, np.random.default_rng([self._seed]))[0]
        self._outer_search = InnerSearch(
            self._small(self.outer), self._outer_part, self._template, self._num_objectives, self._seed, 0
        )
        self._found: dict[bytes, Incumbents] = {}
        self._small(self.inner).clone(deep=True).setup(self._inner_part.genome, self._num_objectives, self._seed)
        self._best = Incumbents(self._num_objectives)
        self._searches = 0
        self._search: InnerSearch | None = None
        self._first: Rows | None = None

    def _propose(self, n: int, rng: np.random.Generator) -> Proposals:
        for _ in range(_MAX_REPEATS):
            if self._search is None and not self._next_candidate():
                break
            assert self._search is not None
            left = int(self.inner_trials) - self._search.trials
            if left > 0 and self._search.idle_asks < _MAX_IDLE_ASKS and not self._search.exhausted:
                if self._first is not None:
                    first, self._first = self._first, None
                    return without_parents(first)
                proposals = self._search.ask(min(n, left))
                if len(proposals.rows):
                    return proposals
            self._finish()
        return without_parents(self._genome.random(0, rng))

    def _next_candidate(self) -> bool:
        """Begins the inner search of a new outer candidate; of a known one, if no new one comes."""
        key = b""
        for _ in range(_MAX_REPEATS):
            rows = self._outer_search.ask(1).rows
            if not len(rows):
                return False
            self._candidate = rows[0]
            key = self._genome.keys(rows)[0]
            if key not in self._found:
                break
            self._tell_outer(self._found[key])
        self._incumbents = self._found.setdefault(key, Incumbents(self._num_objectives))
        self._searches += 1
        best = self._best.choose() if self.warm_start else None
        if best is not None:
            self._first = self._inner_part.within(self._inner_part.of(best[None]), self._candidate)
        self._search = InnerSearch(
            self._small(self.inner),
            self._inner_part,
            self._candidate,
            self._num_objectives,
            self._seed,
            self._searches,
        )
        return True

    def _finish(self) -> None:
        self._tell_outer(self._incumbents)
        self._search = None

    def _tell_outer(self, found: Incumbents) -> None:
        """The front of the inner search is what the candidate is worth."""
        front = found.front
        if front is not None:
            held = self._outer_part.within(self._outer_part.of(front.rows), self._template)
            self._outer_search.tell(Outcomes(front.trials, held, front.fitness))

    def tell(self, outcomes: Outcomes) -> None:
        """Results of the present inner search go to its algorithm."""
        if self._search is not None:
            own = self._search.tell(outcomes)
            self._incumbents.add(own)
            self._best.add(own)
