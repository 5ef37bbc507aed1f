"""Random rows and mutants are distributed as PyGlove's; every operator stays within the space."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from zlib import crc32

import numpy as np
import pyglove as pg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nested_spaces import SPACES, VARIABLE
from scipy.stats import chi2_contingency, chisquare

from autoglyph.search_spaces import Genome, Rows

GENOMES = {name: Genome(make()) for name, make in SPACES.items()}
COMPARED = [
    "conditional",
    "root_choice",
    "multi_choices",
    "nested_free",
    "nested_distinct",
    "nested_sorted",
    "nested_subset",
    "root_multi_choice",
    "folded",
    "floats",
    "sorted_floats",
    "custom",
]
DRAWS = 120
LEAST_P = 1e-4  # one comparison in ten thousand would fail by chance; the seeds are fixed
seeds = st.integers(0, 2**32 - 1)


def outcomes(genome: Genome, rows: Iterable[Rows]) -> list[tuple[Hashable, ...]]:
    """What the rows are, with floats in three bins."""
    bounds = [column.bounds or (0.0, 1.0) for column in genome.columns]
    return [
        tuple(
            int(3 * (value - low) / (high - low)) if isinstance(value, float) and value else value
            for value, (low, high) in zip(genome.to_json(row), bounds, strict=True)
        )
        for row in rows
    ]


def p_value(ours: Sequence[Hashable], theirs: Sequence[Hashable]) -> float:
    """Of a chi-square test that two samples have one distribution; rare outcomes count together."""
    a, b = Counter(ours), Counter(theirs)
    share = min(len(ours), len(theirs)) / (len(ours) + len(theirs))
    common = [key for key in sorted(a | b, key=repr) if (a[key] + b[key]) * share >= 5]
    table = [[counts[key] for key in common] for counts in (a, b)]
    rest = [counts.total() - sum(row) for counts, row in zip((a, b), table, strict=True)]
    if sum(rest):
        table = [[*row, left] for row, left in zip(table, rest, strict=True)]
    return float(chi2_contingency(table).pvalue) if len(table[0]) > 1 else 1.0


def assert_alike(genome: Genome, ours: Iterable[Rows], theirs: Iterable[Rows]) -> None:
    """Compares whole rows, whole rows hashed into 16 classes, and each column."""
    a, b = outcomes(genome, ours), outcomes(genome, theirs)
    assert len({crc32(repr(each).encode()) % 16 for each in a}) > 1, "one outcome alone says nothing"
    hashed = [[crc32(repr(each).encode()) % 16 for each in sample] for sample in (a, b)]
    assert p_value(*hashed) > LEAST_P
    assert p_value(a, b) > LEAST_P
    for column, values, others in zip(genome.columns, zip(*a, strict=True), zip(*b, strict=True), strict=True):
        assert p_value(values, others) > LEAST_P / genome.length, column.name


@pytest.mark.parametrize("name", COMPARED)
def test_random_rows_are_those_of_pyglove(name: str) -> None:
    genome, generator = GENOMES[name], random.Random(2)
    theirs = [genome.from_dna(pg.random_dna(genome.spec, generator)) for _ in range(DRAWS)]
    assert_alike(genome, genome.random(10 * DRAWS, np.random.default_rng(1)), theirs)


@pytest.mark.parametrize("name", COMPARED)
def test_mutants_are_those_of_pyglove(name: str) -> None:
    genome, rng = GENOMES[name], np.random.default_rng(5)
    candidates = genome.random(50, np.random.default_rng(3))
    parent = candidates[[genome.active(candidates).sum(axis=1).argmax()]]
    mutator, dna = pg.evolution.mutators.Uniform(seed=4), genome.to_dna(parent[0])
    theirs = [genome.from_dna(mutator.mutate(dna)) for _ in range(DRAWS)]
    batch = genome.mutate(np.repeat(parent, 10 * DRAWS, axis=0), rng)
    singles = np.concatenate([genome.mutate(parent, rng) for _ in range(10 * DRAWS)])
    for mutants in (batch, singles):
        genome.validate(mutants)
        assert_alike(genome, mutants, theirs)


@pytest.mark.parametrize("name", VARIABLE)
def test_as_many_nodes_can_mutate_as_in_pyglove(name: str) -> None:
    genome, mutator = GENOMES[name], pg.evolution.mutators.Uniform()
    for row in genome.random(10, np.random.default_rng(4)):
        active = genome.active(row[None])[0]
        ours = sum(bool(active[node.start]) for node in genome._layout.nodes)
        assert ours == len(mutator._get_relationships(genome.to_dna(row))[0])


@pytest.mark.parametrize("distinct", [False, True])
@pytest.mark.parametrize("in_order", [False, True])
@pytest.mark.parametrize("singly", [False, True])
def test_mutants_of_a_multi_choice_follow_their_law(distinct: bool, in_order: bool, singly: bool) -> None:
    """The law in closed form: a fresh multi-choice, or one choice replaced, each node as likely."""
    genome, rng = Genome(pg.manyof(3, list(range(5)), distinct=distinct, sorted=in_order)), np.random.default_rng(6)
    parent = genome.from_json([0, 2, 3])[None]
    law: Counter[tuple[int, ...]] = Counter()
    draws = list(itertools.permutations(range(5), 3) if distinct else itertools.product(range(5), repeat=3))
    for draw in draws:
        law[tuple(sorted(draw)) if in_order else draw] += 1 / len(draws) / 4
    for place in range(3):
        replacements = [value for value in range(5) if not (distinct and value in (0, 2, 3))]
        for value in replacements:
            mutant = [0, 2, 3]
            mutant[place] = value
            law[tuple(sorted(mutant) if in_order else mutant)] += 1 / len(replacements) / 4
    n = 5_000
    if singly:
        mutants = np.concatenate([genome.mutate(parent, rng) for _ in range(n)])
    else:
        mutants = genome.mutate(np.repeat(parent, n, axis=0), rng)
    counts = Counter(map(tuple, mutants.tolist()))
    assert set(counts) == set(law)
    keys = sorted(law)
    assert chisquare([counts[key] for key in keys], [n * law[key] for key in keys]).pvalue > LEAST_P


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(VARIABLE), seeds, st.integers(1, 20), st.floats(0.0, 1.0))
def test_operators_stay_within_the_space(name: str, seed: int, n: int, rate: float) -> None:
    genome, rng = GENOMES[name], np.random.default_rng(seed)
    first, second = genome.random(n, rng), genome.random(n, rng)
    kept = first.copy(), second.copy()
    for rows in (
        first,
        genome.mutate(first, rng),
        genome.redraw(first, rate, rng),
        genome.crossover(first, second, rng),
    ):
        assert rows.dtype == genome.dtype and rows.shape == (n, genome.length)
        genome.validate(rows)
        genome.spec.validate(genome.to_dna(rows[0]))
        assert np.array_equal(genome.canonical(rows), rows)
    assert np.array_equal(first, kept[0]) and np.array_equal(second, kept[1])


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(SPACES)), seeds)
def test_canonical_rows_stay_and_random_garbage_becomes_canonical(name: str, seed: int) -> None:
    genome, rng = GENOMES[name], np.random.default_rng(seed)
    rows = genome.random(8, rng)
    garbage = np.where(genome.active(rows), rows, 1).astype(genome.dtype)
    once = genome.canonical(garbage)
    assert np.array_equal(once, rows)
    assert np.array_equal(genome.canonical(once), once)
    assert len(set(genome.keys(rows))) == len({tuple(genome.to_json(row)) for row in rows})


@pytest.mark.parametrize("name", VARIABLE)
def test_crossover_takes_every_gene_from_a_parent_that_has_it(name: str) -> None:
    genome, rng = GENOMES[name], np.random.default_rng(6)
    first, second = genome.random(300, rng), genome.random(300, rng)
    children = genome.crossover(first, second, rng)
    active = genome.active(children)
    from_first = genome.active(first) & (children == first)
    from_second = genome.active(second) & (children == second)
    assert (from_first | from_second)[active].all()
    assert np.array_equal(genome.crossover(first, first, rng), first)


def test_uniform_crossover_mixes_evenly() -> None:
    genome, rng = Genome(pg.List([pg.oneof(range(8)) for _ in range(20)])), np.random.default_rng(7)
    zeros, sevens = np.zeros((2000, 20), np.int32), np.full((2000, 20), 7, np.int32)
    share = (genome.crossover(zeros, sevens, rng) == 0).mean(axis=0)
    assert np.abs(share - 0.5).max() < 0.06


def test_redraw_changes_each_gene_at_the_rate() -> None:
    genome, rng = Genome(pg.List([pg.oneof(range(5)) for _ in range(20)])), np.random.default_rng(8)
    rows = genome.random(5000, rng)
    changed = genome.redraw(rows, 0.1, rng) != rows
    assert np.abs(changed.mean(axis=0) - 0.1 * 4 / 5).max() < 0.02
    per_row = changed.sum(axis=1)
    assert abs(per_row.var() - 20 * 0.08 * 0.92) < 0.15  # independent genes: binomial
    assert np.array_equal(genome.redraw(rows, 0.0, rng), rows)


@pytest.mark.parametrize("name", VARIABLE)
def test_redraw_at_rate_one_is_random_and_at_rate_zero_nothing(name: str) -> None:
    genome, rng = GENOMES[name], np.random.default_rng(9)
    rows = genome.random(1, rng)
    assert np.array_equal(genome.redraw(rows, 0.0, rng), rows)
    if name == "custom":
        return  # a custom decision is drawn from its former value
    ours = genome.redraw(np.repeat(rows, 10 * DRAWS, axis=0), 1.0, rng)
    assert_alike(genome, ours, genome.random(10 * DRAWS, rng))


def test_redraw_swaps_in_a_permutation_and_keeps_the_rest() -> None:
    genome, rng = Genome(pg.permutate(list(range(6)))), np.random.default_rng(10)
    rows = genome.random(4000, rng)
    changed = (genome.redraw(rows, 0.3, rng) != rows).sum(axis=1)
    assert not (changed == 1).any()
    assert set(changed.tolist()) >= {0, 2, 3}


def test_proposals_do_not_depend_on_what_a_process_has_seen() -> None:
    def proposals(genome: Genome) -> list[bytes]:
        rng = np.random.default_rng(11)
        rows = genome.random(20, rng)
        for _ in range(5):
            rows = genome.mutate(genome.redraw(rows, 0.3, rng), rng)
        return genome.keys(rows)

    fresh, used = Genome(SPACES["custom"]()), Genome(SPACES["custom"]())
    used.random(50, np.random.default_rng(12))
    assert proposals(fresh) == proposals(used)


def test_a_space_without_decisions_cannot_be_mutated() -> None:
    with pytest.raises(ValueError, match="without decisions"):
        GENOMES["constant"].mutate(np.zeros((1, 0), np.int32), np.random.default_rng(0))
