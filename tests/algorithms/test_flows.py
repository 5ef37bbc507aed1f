"""Phased and nested searches: what is held, what varies, and what they find."""

import numpy as np
import pyglove as pg
import pytest
from folds import Fold

from autoglyph.algorithms.exhaustive import Exhaustive
from autoglyph.algorithms.nested import Nested
from autoglyph.algorithms.phased import Phased
from autoglyph.algorithms.regularized_evolution import RegularizedEvolution
from autoglyph.search_spaces import Genome
from autoglyph.search_spaces.parts import Part

COUPLED = pg.Dict(
    network=pg.Dict(width=pg.oneof(range(5)), depth=pg.oneof(range(4))),
    chip=pg.Dict(lanes=pg.oneof(range(5)), memory=pg.oneof(range(3))),
)


def value_of(rows: np.ndarray) -> np.ndarray:
    """Best where lanes fit the width and memory the depth: neither part can be chosen by itself."""
    width, depth, lanes, memory = rows.astype(float).T
    return (3 * width + depth - 4 * (width - lanes) ** 2 - 2 * (depth - memory) ** 2 - lanes * memory)[:, None]


def fold(algorithm: object) -> Fold:
    found = Fold(algorithm, Genome(COUPLED))
    found.values = value_of
    return found


def varied(rows: np.ndarray) -> set[int]:
    return {i for i in range(rows.shape[1]) if len(np.unique(rows[:, i])) > 1}


def best_of(found: Fold) -> float:
    return max(float(o.fitness.max()) for o in found.told)


def optimum() -> float:
    genome = Genome(COUPLED)
    return float(max(value_of(rows).max() for rows in genome.enumerate()))


def test_phases_vary_one_part_each_and_hold_the_best_of_the_one_before() -> None:
    start = [0, 3, 4, 0]
    found = fold(Phased(inner=Exhaustive(), order=["chip", "network"], trials=30, start=start)).run(2, 15)
    first, second = (p.rows for p in found.proposals)
    assert varied(first) == {2, 3} and first[0, :2].tolist() == start[:2] and len(first) == 15
    best = first[value_of(first)[:, 0].argmax()]
    assert varied(second) <= {0, 1} and (second[:, 2:] == best[2:]).all()


def test_a_part_left_out_stays_as_given() -> None:
    start = [0, 3, 4, 2]
    found = fold(Phased(order=["network"], start=start, trials=5)).run(30, 4)
    rows = np.concatenate([p.rows for p in found.proposals])
    assert varied(rows) == {0, 1} and (rows[:, 2:] == start[2:]).all()


def test_nested_finds_the_enumerated_optimum() -> None:
    nested = Nested(outer_part="chip", outer=Exhaustive(), inner=Exhaustive(), inner_trials=20, warm_start=False)
    found = fold(nested).run(60, 20)
    assert len(found.numbers) == 5 * 4 * 5 * 3
    assert best_of(found) == optimum()


def test_nested_searches_inside_each_outer_candidate() -> None:
    found = fold(Nested(outer_part="chip", inner_trials=6)).run(40, 2)
    chips = np.concatenate([p.rows for p in found.proposals])[:, 2:]
    runs = 1 + int((np.diff(chips, axis=0) != 0).any(axis=1).sum())
    assert 3 <= runs <= len(chips) / 3  # whole inner searches, not a mixture


def test_the_outer_search_learns_from_the_inner_ones() -> None:
    bests = [best_of(fold_of_seed(seed)) for seed in range(8)]
    assert np.median(bests) == optimum()


def fold_of_seed(seed: int) -> Fold:
    outer = RegularizedEvolution(population_size=3, tournament_size=2)
    found = Fold(Nested(outer_part="chip", outer=outer, inner_trials=8), Genome(COUPLED), seed=seed)
    found.values = value_of
    return found.run(200, 2)


def test_results_of_another_phase_are_not_taken_for_this_one() -> None:
    algorithm = Phased(inner=Exhaustive(), order=["chip", "network"], trials=30, start=[0, 0, 0, 0])
    found = fold(algorithm).run(2, 15)
    late = found.told[0]
    before = algorithm.ask(1)
    algorithm.tell(late)
    assert len(before.rows) and (before.rows[:, 2:] == found.proposals[1].rows[0, 2:]).all()


@pytest.mark.parametrize(
    ("algorithm", "message"),
    [
        (Phased(order=["chpi"]), "did you mean 'chip'"),
        (Phased(start=[9, 9, 9, 9]), "width"),
        (Nested(outer_part="ship"), "did you mean 'chip'"),
        (Nested(inner="nsga22"), "did you mean 'nsga2'"),
        (Phased(inner=3), "Expected an algorithm"),
    ],
)
def test_bad_settings_are_named(algorithm: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fold(algorithm)


def test_parts_of_the_space_are_the_named_columns() -> None:
    assert Part(Genome(COUPLED), "chip").columns.tolist() == [2, 3]
