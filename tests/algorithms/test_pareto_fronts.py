"""Dominance, ranks, crowding and hypervolume against their definitions."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from autoglyph.algorithms.pareto import crowding_distance, hypervolume, nondominated_mask, nondominated_ranks


def points(columns: int) -> st.SearchStrategy[np.ndarray]:
    """Few distinct values, so that ties are common."""
    return arrays(np.float64, st.tuples(st.integers(0, 24), st.just(columns)), elements=st.integers(0, 6).map(float))


POINTS = st.integers(1, 4).flatmap(points)


def dominates(a: np.ndarray, b: np.ndarray) -> bool:
    return bool((a >= b).all() and (a > b).any())


def ranks_by_peeling(fitness: np.ndarray) -> list[int]:
    ranks, rank = [-1] * len(fitness), 0
    while -1 in ranks:
        left = [i for i, r in enumerate(ranks) if r < 0]
        front = [i for i in left if not any(dominates(fitness[j], fitness[i]) for j in left)]
        for i in front:
            ranks[i] = rank
        rank += 1
    return ranks


@given(POINTS)
def test_mask_is_the_definition(fitness: np.ndarray) -> None:
    expected = [not any(dominates(other, point) for other in fitness) for point in fitness]
    assert nondominated_mask(fitness).tolist() == expected


@given(POINTS)
def test_ranks_are_fronts_peeled_off(fitness: np.ndarray) -> None:
    assert nondominated_ranks(fitness).tolist() == ranks_by_peeling(fitness)


@given(st.integers(1, 3).flatmap(points))
def test_hypervolume_counts_unit_cells(fitness: np.ndarray) -> None:
    cells = itertools.product(range(1, 6), repeat=fitness.shape[1])
    dominated = sum(bool((fitness >= np.add(cell, 1)).all(axis=1).any()) for cell in cells)
    assert hypervolume(fitness, np.ones(fitness.shape[1])) == pytest.approx(dominated)


@pytest.mark.parametrize("columns", [2, 3, 4])
def test_hypervolume_agrees_with_random_shots(columns: int) -> None:
    rng = np.random.default_rng(columns)
    front = rng.random((20, columns))
    shots = rng.random((40_000, columns))
    hit = (shots[:, None] <= front[None]).all(axis=2).any(axis=1).mean()
    assert hypervolume(front, np.zeros(columns)) == pytest.approx(hit, abs=0.012)


@given(st.integers(1, 3).flatmap(points))
def test_hypervolume_of_the_front_is_that_of_all(fitness: np.ndarray) -> None:
    reference = np.full(fitness.shape[1], 0.5)
    front = fitness[nondominated_mask(fitness)]
    assert hypervolume(front, reference) == pytest.approx(hypervolume(fitness, reference))


def test_crowding_by_hand() -> None:
    front = np.array([[0.0, 4.0], [1.0, 3.0], [3.0, 1.0], [4.0, 0.0]])
    np.testing.assert_allclose(crowding_distance(front), [np.inf, 3 / 4 + 3 / 4, 3 / 4 + 3 / 4, np.inf])
    assert crowding_distance(np.zeros((0, 2))).shape == (0,)
    assert np.isinf(crowding_distance(np.zeros((2, 3)))).all()


def test_two_columns_of_many_points() -> None:
    """Quadratic work or memory on 100,000 points would be seen: minutes, 80 GB."""
    fitness = np.random.default_rng(0).normal(size=(100_000, 2))
    front = fitness[nondominated_mask(fitness)]
    front = front[np.argsort(front[:, 0])]
    assert (np.diff(front[:, 1]) < 0).all() and (nondominated_ranks(fitness) == 0).sum() == len(front)
    widths, heights = np.diff(front[:, 0], prepend=-5.0), front[:, 1] + 5.0
    assert hypervolume(fitness, np.array([-5.0, -5.0])) == pytest.approx((widths * heights).sum())
