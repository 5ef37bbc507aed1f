"""Regularized evolution of many seeds in one array: the same searches as one by one."""

import numpy as np
import pyglove as pg
from scipy import stats

from autoglyph.algorithms.hurdles.no_hurdles import NoHurdles
from autoglyph.algorithms.regularized_evolution import RegularizedEvolution
from autoglyph.experiments.benchmarks.seeds_at_once import evolve, first_trainings
from autoglyph.experiments.benchmarks.simulated_training import simulate
from autoglyph.experiments.benchmarks.tabular_problems import TabularProblem
from autoglyph.search_spaces import SearchSpace

SPACE = SearchSpace("numbers", pg.List([pg.oneof(list(range(6))) for _ in range(8)]))
SETTINGS = RegularizedEvolution(population_size=12, tournament_size=4)
WEIGHTS = np.array([1.0, 2.0, 1.5, 0.5, 3.0, 1.0, 2.5, 0.7])
PROBLEM = TabularProblem(
    name="numbers",
    units="trainings",
    genome=SPACE.genome,
    curves=lambda rows: (rows @ WEIGHTS + (rows[:, :-1] == rows[:, 1:]).sum(axis=1))[:, None],
    amounts=lambda rows: np.ones((len(rows), 1)),
    budget=100.0,
    best=None,
)
CHILDREN = 80


def test_searches_side_by_side_are_as_good_as_one_by_one() -> None:
    side_by_side = evolve(PROBLEM, SETTINGS, 200, CHILDREN, 0)
    alone = [
        simulate(SPACE.genome, SETTINGS.clone(), NoHurdles(), PROBLEM.curves, [1.0], 1e9, seed, most=CHILDREN)
        for seed in range(200)
    ]
    assert all(each.asked == CHILDREN for each in alone)
    best = [each.fitness.max() for each in alone]
    assert stats.ks_2samp(side_by_side.accuracy.max(axis=1), best).pvalue > 0.05
    distinct = [len(first_trainings(SPACE.genome, rows)) for rows in side_by_side.rows]
    assert stats.ks_2samp(distinct, [len(each.rows) for each in alone]).pvalue > 0.05


def test_each_population_is_its_own() -> None:
    """A child differs in at most one decision from one of the members of its own search."""
    rows, accuracy = evolve(PROBLEM, SETTINGS, 5, CHILDREN, 1)
    np.testing.assert_array_equal(accuracy.ravel(), PROBLEM.curves(rows.reshape(-1, 8))[:, 0])
    for search in rows:
        for child in range(SETTINGS.population_size, CHILDREN):
            members = search[child - SETTINGS.population_size : child]
            assert ((members != search[child]).sum(axis=1) <= 1).any()
    assert len({each[:12].tobytes() for each in rows}) == 5


def test_a_search_pays_once_for_the_same_child() -> None:
    rows = SPACE.genome.rows_at(7, 10)[[0, 0, 2, 0, 1, 2]]
    assert first_trainings(SPACE.genome, rows) == [0, 2, 4]
