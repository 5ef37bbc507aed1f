"""A compiled space is enumerated in PyGlove's order, from any place in it."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pyglove as pg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nested_spaces import FINITE, SPACES

from autoglyph.search_spaces import Genome

GENOMES = {name: Genome(SPACES[name]()) for name in FINITE}


@pytest.mark.parametrize("name", FINITE)
def test_the_order_is_that_of_sweeping(name: str) -> None:
    genome = GENOMES[name]
    sweeping = pg.geno.Sweeping()
    sweeping.setup(genome.spec)
    theirs = [genome.from_dna(sweeping.propose()) for _ in range(min(genome.size, 120))]
    assert np.array_equal(genome.rows_at(0, len(theirs)), np.array(theirs))
    if genome.size == len(theirs):
        with pytest.raises(StopIteration):
            sweeping.propose()


@pytest.mark.parametrize("name", FINITE)
def test_every_step_is_that_of_pyglove(name: str) -> None:
    genome = GENOMES[name]
    rng = np.random.default_rng(0)
    for start in rng.integers(0, min(genome.size - 1, 2**62), 20) if genome.size > 1 else ():
        row, following = genome.rows_at(int(start), int(start) + 2)
        assert np.array_equal(genome.from_dna(genome.spec.next_dna(genome.to_dna(row))), following)


@pytest.mark.parametrize("name", FINITE)
def test_the_size_is_that_of_pyglove_and_every_point_is_there_once(name: str) -> None:
    genome = GENOMES[name]
    assert genome.size == genome.spec.space_size
    last = genome.rows_at(genome.size - 1, genome.size)
    genome.validate(last)
    assert genome.spec.next_dna(genome.to_dna(last[0])) is None
    if genome.size <= 20_000:
        rows = np.concatenate(list(genome.enumerate(batch=1000)))
        genome.validate(rows)
        assert len(set(genome.keys(rows))) == len(rows) == genome.size


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(FINITE), st.data())
def test_any_stretch_can_be_had_without_the_rest(name: str, data: st.DataObject) -> None:
    genome = GENOMES[name]
    size = min(genome.size, 300)
    start = data.draw(st.integers(0, size))
    stop = data.draw(st.integers(start, size))
    assert np.array_equal(genome.rows_at(start, stop), genome.rows_at(0, size)[start:stop])


@pytest.mark.parametrize("distinct", [False, True])
@pytest.mark.parametrize("in_order", [False, True])
def test_multi_choices_follow_itertools(distinct: bool, in_order: bool) -> None:
    genome = Genome(pg.manyof(3, list(range(5)), distinct=distinct, sorted=in_order))
    expected = {
        (False, False): lambda: itertools.product(range(5), repeat=3),
        (True, False): lambda: itertools.permutations(range(5), 3),
        (False, True): lambda: itertools.combinations_with_replacement(range(5), 3),
        (True, True): lambda: itertools.combinations(range(5), 3),
    }[distinct, in_order]
    assert [tuple(row) for row in next(genome.enumerate()).tolist()] == list(expected())


def test_huge_spaces_are_counted_and_entered_at_once() -> None:
    genome = Genome(pg.Dict(order=pg.permutate(list(range(30))), x=pg.List([pg.oneof(range(8))] * 30)))
    assert genome.size == math.factorial(30) * 8**30
    rows = genome.rows_at(genome.size - 2, genome.size)
    assert rows[-1].tolist() == [*range(29, -1, -1), *[7] * 30]
    assert rows[0].tolist() == [*range(29, -1, -1), *[7] * 29, 6]


def test_wrong_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="finite space"):
        next(Genome(SPACES["floats"]()).enumerate())
    with pytest.raises(ValueError, match="Expected 0 <= start <= stop <= 6, received 4 and 7"):
        GENOMES["flat"].rows_at(4, 7)
    assert Genome(SPACES["floats"]()).size == -1
