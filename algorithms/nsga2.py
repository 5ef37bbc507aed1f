"""NSGA-II (Deb et al. 2002, "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II").

Parents win binary tournaments by front and crowding distance; children are crossed and mutated, and differ
from one another and from all members; the best of members and children survive.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoglyph.algorithms.base import Algorithm, FloatArray, IntArray, Outcomes, Proposals, without_parents
from autoglyph.algorithms.pareto import crowding_distance, nondominated_ranks
from autoglyph.search_spaces import Rows

_MAX_REDRAWS = 10


class NSGA2(Algorithm):
    """Elitist evolution towards a whole Pareto front.

    Attributes:
        population_size: members that survive.
        children: children made at once; 0 for as many as there are members, which is the published
            algorithm. A few at a time converge sooner (steady state).
        crossover_rate: probability with which a child has two parents.
        mutation_rate: probability with which a child is mutated.
        start: decisions of a known individual that is the first member; None for random ones alone.
    """

    population_size: int = 100
    children: int = 0
    crossover_rate: float = 0.9
    mutation_rate: float = 0.6
    start: Any = None

    @property
    def batch_size(self) -> int:
        """The children made at once."""
        return int(self.children or self.population_size)

    @property
    def multi_objective(self) -> bool:
        """Any number of objectives."""
        return True

    @property
    def initial_population(self) -> int:
        """As many random individuals as there are members."""
        return int(self.population_size)

    def members(self) -> IntArray:
        """Trials of the living members."""
        return self._trials

    def _start(self) -> None:
        self._expect_at_least(2, "population_size")
        self._expect_at_least(0, "children")
        for name in ("crossover_rate", "mutation_rate"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"Expected {name} from 0 to 1, received {getattr(self, name)}.")
        self._capacity = int(self.population_size)
        self._seed_row = None if self.start is None else self._genome.from_json(list(self.start))
        self._rates = float(self.crossover_rate), float(self.mutation_rate)
        self._rows = np.zeros((0, self._genome.length), self._genome.dtype)
        self._fitness: FloatArray = np.zeros((0, self._num_objectives))
        self._trials: IntArray = np.zeros(0, np.int64)
        self._rank: IntArray = np.zeros(0, np.int64)
        self._crowding: FloatArray = np.zeros(0)

    def _propose(self, n: int, rng: np.random.Generator) -> Proposals:
        if len(self._rows) < self._capacity:
            rows = self._genome.random(n, rng)
            if self._seed_row is not None and self._asks == 1:
                rows[0] = self._seed_row
            return without_parents(rows)
        mothers, fathers = self._winners(n, rng), self._winners(n, rng)
        crossover_rate, mutation_rate = self._rates
        crossed = rng.random(n) < crossover_rate
        fathers = np.where(crossed, fathers, mothers)
        rows = self._genome.crossover(self._rows[mothers], self._rows[fathers], rng)
        mutated = rng.random(n) < mutation_rate
        rows[mutated] = self._genome.mutate(rows[mutated], rng)
        rows = self._made_unique(rows, rng)
        lineage = np.stack([self._trials[mothers], np.where(crossed, self._trials[fathers], -1)], axis=1)
        return Proposals(rows, lineage)

    def tell(self, outcomes: Outcomes) -> None:
        """The best of members and told survive; failures never become members."""
        usable = np.isfinite(outcomes.fitness).all(axis=1)
        rows = np.concatenate([self._rows, outcomes.rows[usable]])
        fitness = np.concatenate([self._fitness, outcomes.fitness[usable]])
        trials = np.concatenate([self._trials, outcomes.trials[usable]])
        _, first = np.unique(trials, return_index=True)
        rows, fitness, trials = rows[first], fitness[first], trials[first]
        rank = nondominated_ranks(fitness)
        crowding = np.empty(len(rank))
        by_rank = np.argsort(rank, kind="stable")
        for members in np.split(by_rank, np.flatnonzero(np.diff(rank[by_rank])) + 1):
            crowding[members] = crowding_distance(fitness[members])
        keep = np.lexsort((-crowding, rank))[: self._capacity]
        self._rows, self._fitness, self._trials = rows[keep], fitness[keep], trials[keep]
        self._rank, self._crowding = rank[keep], crowding[keep]

    def _winners(self, n: int, rng: np.random.Generator) -> IntArray:
        first, second = rng.integers(len(self._rows), size=(2, n))
        better = (self._rank[first] < self._rank[second]) | (
            (self._rank[first] == self._rank[second]) & (self._crowding[first] >= self._crowding[second])
        )
        winners: IntArray = np.where(better, first, second)
        return winners

    def _made_unique(self, rows: Rows, rng: np.random.Generator) -> Rows:
        members = set(self._genome.keys(self._rows))
        for _ in range(_MAX_REDRAWS):
            taken = set(members)
            again = []
            for index, key in enumerate(self._genome.keys(rows)):
                if key in taken:
                    again.append(index)
                taken.add(key)
            if not again:
                break
            rows[again] = self._genome.mutate(rows[again], rng)
        return rows
