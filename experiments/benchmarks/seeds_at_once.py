"""Regularized evolution of many seeds in one array, for problems whose children are looked up.

The searches are those of `RegularizedEvolution`, each with a population of its own, and know nothing of each other;
only their steps are taken together, so that NumPy is called once a step for all of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from autoglyph.algorithms.regularized_evolution import RegularizedEvolution
from autoglyph.algorithms.tournaments import Members, subsets
from autoglyph.experiments.benchmarks.simulated_training import Floats
from autoglyph.experiments.benchmarks.tabular_problems import TabularProblem
from autoglyph.search_spaces import Genome, Rows


class Searched(NamedTuple):
    """Children of many searches, in their order.

    Attributes:
        rows: (searches, children, L) individuals, those told before included.
        accuracy: (searches, children) of each, percent, trained to the end.
    """

    rows: Rows
    accuracy: Floats


def evolve(
    problem: TabularProblem, settings: RegularizedEvolution, searches: int, children: int, seed: int
) -> Searched:
    """Evolves populations side by side.

    Args:
        problem: where children are looked up, trained to the end.
        settings: of every search.
        searches: how many there are.
        children: of each search.
        seed: of all randomness.
    """
    genome, rng = problem.genome, np.random.default_rng(seed)
    capacity = int(settings.population_size)
    entrants = min(int(settings.tournament_size), capacity)
    members = Members(searches * capacity, genome)
    places = np.arange(searches) * capacity  # where the members of each search begin
    tournaments = subsets(children * searches, entrants, capacity, rng).reshape(children, searches, entrants)
    rows = np.empty((children, searches, genome.length), genome.dtype)
    accuracy = np.empty((children, searches))
    random = genome.random(capacity * searches, rng).reshape(capacity, searches, genome.length)
    for child in range(children):
        if child < capacity:
            rows[child] = random[child]
        else:
            parents = members.best(tournaments[child] + places[:, None])
            rows[child] = genome.mutate(members.rows[parents], rng)
        accuracy[child] = problem.curves(rows[child])[:, -1]
        oldest = places + child % capacity
        members.rows[oldest], members.fitness[oldest] = rows[child], accuracy[child]
    return Searched(rows.swapaxes(0, 1), accuracy.T)


def first_trainings(genome: Genome, rows: Rows) -> list[int]:
    """Numbers of the (n, L) rows that were not there before, in order: those that a search pays for."""
    first: dict[bytes, int] = {}
    for number, key in enumerate(genome.keys(rows)):
        first.setdefault(key, number)
    return list(first.values())
