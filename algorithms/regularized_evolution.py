"""Regularized evolution (Real et al. 2019, "Regularized Evolution for Image Classifier Architecture Search").

A child is one mutation of the winner of a tournament; the oldest member dies, however good it is.
"""

from __future__ import annotations

import numpy as np

from autoglyph.algorithms.base import Algorithm, IntArray, Outcomes, Proposals, without_parents
from autoglyph.algorithms.tournaments import Members, subsets


class RegularizedEvolution(Algorithm):
    """Tournament selection, one mutation, death by age.

    Attributes:
        population_size: members; as many random individuals come first.
        tournament_size: members among which a parent is the best.
    """

    population_size: int = 100
    tournament_size: int = 10

    @property
    def batch_size(self) -> int:
        """A sixteenth of the population: what as many parallel workers would see."""
        return max(1, self.population_size // 16)

    @property
    def initial_population(self) -> int:
        """As many random individuals as there are members."""
        return int(self.population_size)

    def members(self) -> IntArray:
        """Trials of the living members."""
        return self._members.trials[: min(self._told, self._capacity)]

    def _start(self) -> None:
        self._expect_at_least(1, "population_size", "tournament_size")
        self._capacity = int(self.population_size)
        self._tournament = int(self.tournament_size)
        self._members = Members(self._capacity, self._genome)
        self._told = 0

    def _propose(self, n: int, rng: np.random.Generator) -> Proposals:
        if self._told < self._capacity:
            return without_parents(self._genome.random(n, rng))
        entrants = min(self._tournament, self._capacity)
        if n == 1:
            chosen = rng.choice(self._capacity, entrants, replace=False, shuffle=False)[None]
        else:
            chosen = subsets(n, entrants, self._capacity, rng)
        members = self._members
        parents = members.best(chosen)
        lineage = np.full((n, 2), -1, np.int64)
        lineage[:, 0] = members.trials[parents]
        return Proposals(self._genome.mutate(members.rows[parents], rng), lineage)

    def tell(self, outcomes: Outcomes) -> None:
        """The told replace the oldest."""
        members = self._members
        if len(outcomes.trials) == 1:
            place = self._told % self._capacity
            members.rows[place] = outcomes.rows[0]
            members.fitness[place] = outcomes.fitness[0, 0]
            members.trials[place] = outcomes.trials[0]
            self._told += 1
            return
        newest = slice(max(0, len(outcomes) - self._capacity), None)
        count = len(outcomes.trials[newest])
        skipped = len(outcomes) - count
        at = (self._told + skipped + np.arange(count)) % self._capacity
        members.rows[at] = outcomes.rows[newest]
        members.fitness[at] = outcomes.fitness[newest, 0]
        members.trials[at] = outcomes.trials[newest]
        self._told += len(outcomes)
