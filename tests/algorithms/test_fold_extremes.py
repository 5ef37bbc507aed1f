"""Algorithms of the catalogue where searches are awkward: replayed, failing, flat or soon exhausted."""

import itertools

import numpy as np
import pytest
from folds import SPACES, Fold, genome_of, supported

from autoglyph.algorithms import catalog
from autoglyph.algorithms.nsga2 import NSGA2
from autoglyph.algorithms.pareto import hypervolume, nondominated_ranks
from autoglyph.algorithms.regularized_evolution import RegularizedEvolution

NAMES = sorted(catalog.available())
CASES = [
    pytest.param(name, space, objectives, id=f"{name}-{space}-{objectives}")
    for name, space, objectives in itertools.product(NAMES, SPACES, (1, 2))
    if supported(name, space, objectives)
]


@pytest.mark.parametrize(("name", "space", "objectives"), CASES)
def test_resumes_by_replay(name: str, space: str, objectives: int) -> None:
    genome = genome_of(space)
    fold = Fold(catalog.get(name)(), genome, objectives, seed=5, loses=0.1).run(9, 13)
    replayed = catalog.get(name)()
    replayed.setup(genome, objectives, 5)
    told = iter(fold.told)
    outcomes = next(told, None)
    for proposals in fold.proposals:
        again = replayed.ask(13)
        np.testing.assert_array_equal(again.rows, proposals.rows)
        np.testing.assert_array_equal(again.parents, proposals.parents)
        if outcomes is not None and set(genome.keys(outcomes.rows)) <= set(genome.keys(proposals.rows)):
            replayed.tell(outcomes)
            outcomes = next(told, None)
    if outcomes is None:
        np.testing.assert_array_equal(replayed.ask(13).rows, fold.algorithm.ask(13).rows)


@pytest.mark.parametrize(("name", "space", "objectives"), CASES)
def test_parents_were_told_before(name: str, space: str, objectives: int) -> None:
    fold = Fold(catalog.get(name)(), genome_of(space), objectives, loses=0.2, fails=0.3)
    for _ in range(25):
        told = {int(trial) for outcomes in fold.told for trial in outcomes.trials}
        proposals = fold.step(16)
        fold.genome.validate(proposals.rows)
        assert set(np.unique(proposals.parents).tolist()) <= told | {-1}


@pytest.mark.parametrize("name", NAMES)
def test_survives_nothing_but_failures(name: str) -> None:
    fold = Fold(catalog.get(name)(), genome_of("flat"), fails=1.0).run(20)
    assert len(fold.proposals) == 20


@pytest.mark.parametrize("name", NAMES)
def test_survives_equal_values(name: str) -> None:
    fold = Fold(catalog.get(name)(), genome_of("flat"))
    fold.values = lambda rows: np.zeros((len(rows), 1))
    fold.run(40, 20)
    assert len(fold.numbers) > 20


@pytest.mark.parametrize("space", ["single choice", "tiny"])
@pytest.mark.parametrize("name", NAMES)
def test_finds_all_of_a_tiny_space(name: str, space: str) -> None:
    fold = Fold(catalog.get(name)(), genome_of(space)).run(60, 8)
    assert len(fold.numbers) == fold.genome.size


@pytest.mark.parametrize("size", [1, 3, 8])
def test_tournaments_favour_the_best_by_their_size(size: int) -> None:
    fold = Fold(RegularizedEvolution(population_size=10, tournament_size=size), genome_of("flat"))
    fold.step(10)
    best = max(fold.fitness, key=lambda trial: fold.fitness[trial][0])
    children = np.concatenate([fold.algorithm.ask(50).parents[:, 0] for _ in range(40)])
    assert (children == best).mean() == pytest.approx(size / 10, abs=0.04)


def test_nsga2_keeps_the_best_fronts() -> None:
    fold = Fold(NSGA2(population_size=12), genome_of("flat"), 2)
    fold.step(60)
    fitness = np.array([fold.fitness[trial] for trial in range(len(fold.fitness))])
    ranks = nondominated_ranks(fitness)
    worst = np.sort(ranks)[11]
    parents = {int(p) for _ in range(60) for p in fold.algorithm.ask(24).parents.ravel() if p >= 0}
    assert set(np.flatnonzero(ranks < worst).tolist()) <= parents
    assert all(ranks[trial] <= worst for trial in parents) and len(parents) <= 12


@pytest.mark.parametrize("columns", [2, 3, 4])
def test_hypervolume_agrees_with_random_shots(columns: int) -> None:
    rng = np.random.default_rng(columns)
    front = rng.random((20, columns))
    shots = rng.random((40_000, columns))
    hit = (shots[:, None] <= front[None]).all(axis=2).any(axis=1).mean()
    assert hypervolume(front, np.zeros(columns)) == pytest.approx(hit, abs=0.012)
