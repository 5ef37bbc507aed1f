"""Screening for linked decisions, and the search that builds on it."""

import itertools
from collections.abc import Callable

import numpy as np
import pyglove as pg
import pytest
from folds import Fold, genome_of
from hypothesis import given, settings
from hypothesis import strategies as st

from autoglyph.algorithms import catalog
from autoglyph.algorithms.linkage import Change, LinkageScreening
from autoglyph.algorithms.linkage_bocs import LinkageBOCS
from autoglyph.search_spaces import Genome

Pair = tuple[int, int]


def function_of(decisions: int, links: set[Pair], seed: int, noise: float = 0.0) -> Callable[[Change], np.ndarray]:
    """A function of which decisions are changed, with positive effects of pairs, so that none cancel out."""
    rng = np.random.default_rng(seed)
    single = rng.normal(size=decisions)
    double = {pair: 0.5 + rng.random() for pair in sorted(links)}

    def value(change: Change) -> np.ndarray:
        total = 5.0 + single[sorted(change)].sum()
        total += sum(effect for pair, effect in double.items() if set(pair) <= change)
        return np.array([total + noise * rng.normal()])

    return value


def screened(decisions: int, value: Callable[[Change], np.ndarray], **settings: float) -> tuple[LinkageScreening, int]:
    order = np.random.default_rng(0).permutation(decisions).tolist()
    screening = LinkageScreening(decisions, order, **settings)
    evaluations = 0
    while not screening.finished:
        for change in screening.missing:
            screening.measured(change, value(change))
            evaluations += 1
    return screening, evaluations


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 14), st.randoms(use_true_random=False))
def test_finds_exactly_the_links_of_a_sparse_function(decisions: int, random) -> None:
    pairs = list(itertools.combinations(range(decisions), 2))
    links = set(random.sample(pairs, min(len(pairs), decisions // 2)))
    screening, _ = screened(decisions, function_of(decisions, links, decisions), densest=1.0)
    assert set(screening.links) == links


@pytest.mark.parametrize("links_per_decision", [0, 1, 1.5])
def test_costs_two_evaluations_a_decision_and_a_few_a_link(links_per_decision: float) -> None:
    decisions = 30
    pairs = list(itertools.combinations(range(decisions), 2))
    chosen = np.random.default_rng(1).choice(len(pairs), int(links_per_decision * decisions), replace=False)
    links = {pairs[i] for i in chosen}
    screening, evaluations = screened(decisions, function_of(decisions, links, 2))
    assert set(screening.links) == links
    assert evaluations <= 2 * decisions + 4 * len(links)


def test_asks_for_many_values_at_once() -> None:
    screening = LinkageScreening(30, list(range(30)))
    assert len(screening.missing) == 2 * 30
    assert len(set(screening.missing)) == 60


def test_ends_as_dense_when_everything_is_linked_or_noisy() -> None:
    everything = set(itertools.combinations(range(20), 2))
    for value in (function_of(20, everything, 0), function_of(20, set(), 0, noise=0.1)):
        screening, evaluations = screened(20, value)
        assert screening.dense
        assert evaluations <= 3 * 20


def test_ends_as_dense_at_a_failure() -> None:
    screening, _ = screened(8, lambda change: np.array([-np.inf if len(change) == 1 else 1.0]))
    assert screening.dense


def test_tolerance_decides_what_counts_as_linked() -> None:
    value = function_of(10, {(0, 1)}, 3)
    assert screened(10, value)[0].links == [(0, 1)]
    assert screened(10, value, tolerance=10.0)[0].links == []


def test_a_link_in_either_objective_counts() -> None:
    first, second = function_of(12, {(0, 5)}, 1), function_of(12, {(3, 4)}, 2)
    screening, _ = screened(12, lambda change: np.concatenate([first(change), second(change)]))
    assert set(screening.links) == {(0, 5), (3, 4)}


def pairwise_genome() -> tuple[Genome, Callable[[np.ndarray], np.ndarray], float]:
    """12 decisions of 4 values in a ring, its values, and the best of them."""
    rng = np.random.default_rng(4)
    tables = rng.normal(size=(12, 4, 4))

    def values(rows: np.ndarray) -> np.ndarray:
        return tables[np.arange(12), rows, np.roll(rows, -1, axis=1)].sum(axis=1)[:, None]

    best = -np.inf
    for first in range(4):
        height = np.where(np.arange(4) == first, 0.0, -np.inf)
        for table in tables[:-1]:
            height = (height[:, None] + table).max(axis=0)
        best = max(best, float((height + tables[-1][:, first]).max()))
    return Genome(pg.Dict({f"x{i:02d}": pg.oneof(range(4)) for i in range(12)})), values, best


def test_finds_the_best_of_a_ring_among_17_million() -> None:
    genome, values, best = pairwise_genome()
    for seed in range(3):
        fold = Fold(LinkageBOCS(), genome, seed=seed)
        fold.values = values
        while len(fold.numbers) < 400:
            fold.step(64)
        assert max(value[0] for value in fold.fitness.values()) == pytest.approx(best)


def test_goes_on_where_the_memory_is_small() -> None:
    genome, values, best = pairwise_genome()
    fold = Fold(LinkageBOCS(memory=64), genome)
    fold.values = values
    fold.run(30)
    assert max(value[0] for value in fold.fitness.values()) > 0.8 * best


@pytest.mark.parametrize("space", ["conditional", "groups", "floats"])
def test_is_bocs_where_decisions_depend_on_one_another(space: str) -> None:
    ours = Fold(LinkageBOCS(), genome_of(space)).run(8, 20)
    plain = Fold(catalog.get("bocs")(), genome_of(space)).run(8, 20)
    for a, b in zip(ours.proposals, plain.proposals, strict=True):
        np.testing.assert_array_equal(a.rows, b.rows)


def test_is_not_stopped_by_proposals_that_never_come_back() -> None:
    genome, values, _ = pairwise_genome()
    fold = Fold(LinkageBOCS(), genome, loses=0.3)
    fold.values = values
    fold.run(60, 16)
    assert len(fold.numbers) > 300


@pytest.mark.parametrize(
    ("algorithm", "message"),
    [
        (LinkageBOCS(batch=0), "Expected batch of at least 1, received 0"),
        (LinkageBOCS(memory=3), "Expected memory of at least 16, received 3"),
        (LinkageBOCS(tolerance=-1.0), "Expected tolerance of at least 0, received -1.0"),
    ],
)
def test_settings_are_checked(algorithm: LinkageBOCS, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        algorithm.setup(genome_of("flat"), 1, 0)
