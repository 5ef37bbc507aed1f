"""Who has children and who dies, algorithm by algorithm."""

from collections import Counter

import numpy as np
import pytest
from folds import Fold, genome_of

from autoglyph.algorithms import Outcomes
from autoglyph.algorithms.exhaustive import Exhaustive
from autoglyph.algorithms.nsga2 import NSGA2
from autoglyph.algorithms.pareto import nondominated_ranks
from autoglyph.algorithms.regularized_evolution import RegularizedEvolution
from autoglyph.algorithms.tournament_evolution import TournamentEvolution

GENOME = genome_of("flat")


def outcomes_of(fitness: list[float], first: int = 0) -> Outcomes:
    trials = np.arange(first, first + len(fitness))
    rows = GENOME.rows_at(first, first + len(fitness))
    return Outcomes(trials, rows, np.array(fitness, float).reshape(len(fitness), -1))


def parents_of(algorithm: RegularizedEvolution | TournamentEvolution | NSGA2, asks: int, n: int) -> Counter[int]:
    return Counter(p for _ in range(asks) for p in algorithm.ask(n).parents.ravel().tolist() if p >= 0)


def test_regularized_evolution_kills_the_oldest_however_good() -> None:
    algorithm = RegularizedEvolution(population_size=5, tournament_size=5)
    algorithm.setup(GENOME, 1, 0)
    algorithm.tell(outcomes_of([9, 1, 2, 3, 4]))
    assert set(parents_of(algorithm, 5, 4)) == {0}
    algorithm.tell(outcomes_of([0.5], first=5))
    assert set(parents_of(algorithm, 5, 4)) == {4}


def test_regularized_evolution_changes_one_gene() -> None:
    algorithm = RegularizedEvolution(population_size=4, tournament_size=1)
    algorithm.setup(GENOME, 1, 0)
    told = outcomes_of([1, 2, 3, 4])
    algorithm.tell(told)
    proposals = algorithm.ask(200)
    changed = (proposals.rows != told.rows[proposals.parents[:, 0]]).sum(axis=1)
    assert changed.max() == 1


@pytest.mark.parametrize("size", [1, 3, 8])
def test_tournaments_favour_the_best_by_their_size(size: int) -> None:
    algorithm = RegularizedEvolution(population_size=10, tournament_size=size)
    algorithm.setup(GENOME, 1, 0)
    algorithm.tell(outcomes_of(list(range(10))))
    children = parents_of(algorithm, 40, 50)
    assert children[9] / 2000 == pytest.approx(size / 10, abs=0.04)


def test_tournament_evolution_kills_the_worst_of_a_second_tournament() -> None:
    algorithm = TournamentEvolution(population_size=5, tournament_size=5)
    algorithm.setup(GENOME, 1, 0)
    algorithm.tell(outcomes_of([9, 1, 2, 3, 4]))
    algorithm.tell(outcomes_of([0.5, 5, 6], first=5))
    assert sorted(algorithm._members.fitness.tolist()) == [3, 4, 5, 6, 9], "old or new, the worst went each time"
    assert set(parents_of(algorithm, 5, 4)) == {0}


def test_tournament_evolution_redraws_every_field_by_itself() -> None:
    algorithm = TournamentEvolution(population_size=1, tournament_size=1, mutation_rate=0.4)
    algorithm.setup(GENOME, 1, 0)
    told = outcomes_of([1])
    algorithm.tell(told)
    changed = algorithm.ask(4000).rows != told.rows[0]
    assert changed.mean(axis=0) == pytest.approx(np.full(GENOME.length, 0.4 * 3 / 4), abs=0.04)
    joint = (changed[:, 0] & changed[:, 1]).mean()
    assert joint == pytest.approx(0.3**2, abs=0.03)


def test_tournament_evolution_spares_the_worst_outside_the_tournament() -> None:
    survived = []
    for seed in range(300):
        algorithm = TournamentEvolution(population_size=10, tournament_size=3)
        algorithm.setup(GENOME, 1, seed)
        algorithm.tell(outcomes_of(list(range(10))))
        algorithm.tell(outcomes_of([20], first=10))
        survived.append(0 in algorithm.members())
    assert np.mean(survived) == pytest.approx(1 - 3 / 10, abs=0.08)


def test_nsga2_keeps_the_best_fronts() -> None:
    rng = np.random.default_rng(0)
    algorithm = NSGA2(population_size=12)
    algorithm.setup(GENOME, 2, 0)
    fitness = rng.normal(size=(60, 2))
    algorithm.tell(Outcomes(np.arange(60), GENOME.rows_at(0, 60), fitness))
    parents = set(parents_of(algorithm, 60, 24))
    ranks = nondominated_ranks(fitness)
    worst = np.sort(ranks)[11]
    assert {int(i) for i in np.flatnonzero(ranks < worst)} <= parents
    assert all(ranks[i] <= worst for i in parents)
    assert len(parents) <= 12


def test_nsga2_prefers_lonely_points_of_a_front() -> None:
    algorithm = NSGA2(population_size=3)
    algorithm.setup(GENOME, 2, 0)
    front = np.array([[0.0, 10.0], [4.9, 5.1], [5.0, 5.0], [5.1, 4.9], [9.0, 1.0], [10.0, 0.0]])
    algorithm.tell(Outcomes(np.arange(6), GENOME.rows_at(0, 6), front))
    assert set(parents_of(algorithm, 30, 10)) <= {0, 1, 3, 4, 5}
    assert {0, 5} <= set(parents_of(algorithm, 30, 10))


def test_nsga2_children_are_new() -> None:
    fold = Fold(NSGA2(population_size=10), GENOME, 2).run(4)
    members = {bytes(row) for row in fold.algorithm._rows}
    children = [bytes(row) for row in fold.algorithm.ask(10).rows]
    assert len(set(children)) == 10
    assert not members & set(children)


def test_failures_never_have_children() -> None:
    for algorithm in (RegularizedEvolution(population_size=4, tournament_size=4), NSGA2(population_size=2)):
        algorithm.setup(GENOME, 1, 0)
        algorithm.tell(outcomes_of([-np.inf, 1.0, 2.0, -np.inf]))
        assert not {0, 3} & set(parents_of(algorithm, 20, 10))


def test_exhaustive_visits_every_point_once_and_ends() -> None:
    genome = genome_of("conditional")
    fold = Fold(Exhaustive(), genome).run(20, 7)
    rows = np.concatenate([proposals.rows for proposals in fold.proposals])
    assert len(rows) == genome.size == len(fold.numbers)
    assert len(fold.algorithm.ask(5).rows) == 0


def test_exhaustive_starts_anywhere() -> None:
    algorithm = Exhaustive(start=1000)
    algorithm.setup(GENOME, 1, 0)
    np.testing.assert_array_equal(algorithm.ask(5).rows, GENOME.rows_at(1000, 1005))


@pytest.mark.parametrize(
    ("algorithm", "message"),
    [
        (Exhaustive(start=GENOME.size), f"Expected start from 0 to {GENOME.size - 1}, received {GENOME.size}"),
        (RegularizedEvolution(population_size=0), "Expected population_size of at least 1, received 0"),
        (RegularizedEvolution(tournament_size=0), "Expected tournament_size of at least 1, received 0"),
        (TournamentEvolution(mutation_rate=0.0), "Expected mutation_rate above 0 and at most 1, received 0.0"),
        (NSGA2(population_size=1), "Expected population_size of at least 2, received 1"),
        (NSGA2(crossover_rate=1.5), "Expected crossover_rate from 0 to 1, received 1.5"),
    ],
)
def test_settings_are_checked(algorithm: RegularizedEvolution, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        algorithm.setup(GENOME, 1, 0)


def test_an_infinite_space_is_not_swept() -> None:
    with pytest.raises(ValueError, match="infinite space cannot be enumerated"):
        Exhaustive().setup(genome_of("floats"), 1, 0)
