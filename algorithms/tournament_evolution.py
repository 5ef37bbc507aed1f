"""Tournament evolution of the Evolved Transformer (So, Liang and Le 2019).

A child copies the best of one sampled tournament and redraws every field independently; the worst of a
second sampled tournament dies. Regularized evolution differs in both: it changes one field and kills by age.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoglyph.algorithms.base import Algorithm, IntArray, Outcomes, Proposals, without_parents
from autoglyph.algorithms.tournaments import Members, subsets
from autoglyph.search_spaces import Rows


class TournamentEvolution(Algorithm):
    """Best of a tournament has a child, worst of a second one dies.

    Attributes:
        population_size: members; as many individuals come first.
        tournament_size: members sampled for each of the two tournaments.
        mutation_rate: probability with which each field of a child is redrawn by itself.
        start: decisions of a known individual to start from: the first population is this one and mutations of it,
            as the Evolved Transformer's was of the Transformer; None for random individuals.
    """

    population_size: int = 100
    tournament_size: int = 30
    mutation_rate: float = 0.025
    start: Any = None

    @property
    def batch_size(self) -> int:
        """A sixteenth of the population."""
        return max(1, self.population_size // 16)

    @property
    def initial_population(self) -> int:
        """As many individuals as there are members."""
        return int(self.population_size)

    def members(self) -> IntArray:
        """Trials of the living members."""
        return self._members.trials[: self._size]

    def _start(self) -> None:
        self._expect_at_least(1, "population_size", "tournament_size")
        if not 0 < self.mutation_rate <= 1:
            raise ValueError(f"Expected mutation_rate above 0 and at most 1, received {self.mutation_rate}.")
        self._capacity = int(self.population_size)
        self._tournament = min(int(self.tournament_size), self._capacity)
        self._members = Members(self._capacity, self._genome)
        self._seed_row = None if self.start is None else self._genome.from_json(list(self.start))
        self._size = 0
        self._deaths = 0

    def _propose(self, n: int, rng: np.random.Generator) -> Proposals:
        if self._size < self._capacity:
            return without_parents(self._first(n, rng))
        members = self._members
        parents = members.best(subsets(n, self._tournament, self._capacity, rng))
        lineage = np.stack([members.trials[parents], np.full(n, -1)], axis=1)
        return Proposals(self._genome.redraw(members.rows[parents], float(self.mutation_rate), rng), lineage)

    def _first(self, n: int, rng: np.random.Generator) -> Rows:
        if self._seed_row is None:
            return self._genome.random(n, rng)
        copies: Rows = np.repeat(self._seed_row[None], n, axis=0)
        rows = self._genome.redraw(copies, float(self.mutation_rate), rng)
        if self._asks == 1:
            rows[0] = self._seed_row
        return rows

    def tell(self, outcomes: Outcomes) -> None:
        """Each of the told takes a free place, or that of the worst of a tournament of its own."""
        members = self._members
        for trial, row, value in zip(outcomes.trials, outcomes.rows, outcomes.fitness[:, 0], strict=True):
            if self._size < self._capacity:
                place = self._size
                self._size += 1
            else:
                rng = np.random.default_rng([self._seed, self._deaths, 1])
                entrants = rng.choice(self._capacity, self._tournament, replace=False, shuffle=False)
                place = int(entrants[members.fitness[entrants].argmin()])
                self._deaths += 1
            members.rows[place], members.fitness[place], members.trials[place] = row, value, trial
