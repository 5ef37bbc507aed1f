"""Rows and decisions of foreign origin are refused with one clear sentence."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pyglove as pg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nested_spaces import SPACES

from autoglyph.search_spaces import Genome

GENOMES = {name: Genome(make()) for name, make in SPACES.items()}


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([[0, 0, 0]], "Expected rows of 2 numbers, received an array of shape (1, 3)."),
        ([0, 0], "Expected rows of 2 numbers, received an array of shape (2,)."),
        ([[3, 0]], "Expected a candidate number from 0 to 2 for width, received 3."),
        ([[-1, 0]], "Expected a candidate number from 0 to 2 for width, received -1."),
        ([[0.5, 0]], "Expected a candidate number from 0 to 2 for width, received 0.5."),
        ([[0, math.nan]], "Expected finite numbers, received a row with NaN or infinity."),
        ([[0, math.inf]], "Expected finite numbers, received a row with NaN or infinity."),
        ([["a", "b"]], "Expected rows of numbers, received an array of <U1."),
    ],
)
def test_wrong_numbers_are_refused(rows: Any, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        GENOMES["flat"].validate(rows)
    assert str(caught.value) == sentence


def test_wrong_multi_choices_are_refused() -> None:
    distinct, subset = Genome(pg.Dict(x=pg.permutate([1, 2]))), Genome(pg.Dict(x=pg.manyof(2, [1, 2, 3], sorted=True)))
    with pytest.raises(ValueError, match="Expected distinct choices for x, received the same candidate twice."):
        distinct.validate([[0, 1], [1, 1]])
    with pytest.raises(ValueError, match="Expected choices in the order of their candidates for x."):
        subset.validate([[1, 0]])


def test_an_inactive_gene_must_be_zero() -> None:
    genome = GENOMES["root_choice"]
    genome.validate([[0, 1, 0, 0]])
    with pytest.raises(ValueError, match=r"Expected 0 for \[=1/3\] where no choice above needs it, received 1."):
        genome.validate([[0, 1, 1, 0]])
    with pytest.raises(ValueError, match="where no choice above needs it"):
        genome.from_json([0, 1, 1, 0])


def test_floats_out_of_bounds_are_refused() -> None:
    genome = Genome(pg.Dict(rate=pg.floatv(0.25, 0.5)))
    genome.validate([[0.25], [0.5]])
    with pytest.raises(ValueError, match="Expected a number from 0.25 to 0.5 for rate, received 0.75."):
        genome.validate([[0.75]])
    assert genome.from_json([0.25]).tolist() == [0.25]


@pytest.mark.parametrize(
    ("decisions", "sentence"),
    [
        ([0], "Expected a list of 2 decisions, received [0]."),
        ("01", "Expected a list of 2 decisions, received '01'."),
        ([True, 0], "Expected int for width, received True."),
        ([1.0, 0], "Expected int for width, received 1.0."),
        (["1", 0], "Expected int for width, received '1'."),
        ([None, 0], "Expected int for width, received None."),
        ([10**30, 0], "Expected decisions that fit int32, received more."),
    ],
)
def test_wrong_decisions_are_refused(decisions: Any, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        GENOMES["flat"].from_json(decisions)
    assert str(caught.value) == sentence


def test_custom_decisions_travel_as_their_strings() -> None:
    here = GENOMES["custom"]
    row = here.random(1, np.random.default_rng(0))[0]
    decisions = json.loads(json.dumps(here.to_json(row)))
    assert isinstance(decisions[0], str)
    there = Genome(SPACES["custom"]())
    with pytest.raises(ValueError, match="no custom value seen in this process"):
        there.to_json(row)
    with pytest.raises(ValueError, match="the number of a custom value seen in this process for first"):
        there.validate(row[None])
    arrived = there.from_json(decisions)
    assert np.array_equal(arrived, row)
    assert pg.eq(there.decode(arrived), here.decode(row))
    with pytest.raises(ValueError, match="Expected str for first, received 1.5"):
        there.from_json([1.5, *decisions[1:]])
    with pytest.raises(ValueError, match="custom value"):
        there.from_json([0, *decisions[1:]])


def test_custom_values_show_as_strings() -> None:
    genome = GENOMES["custom"]
    rows = genome.random(20, np.random.default_rng(1))
    assert set(genome.literals(rows, 0)) <= {"a", "b", "c"}
    assert genome.to_json(genome.from_json(["", 1, 0, 0, 0, 1, 0, 2, 0]))[0] == ""


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(GENOMES)), st.data())
def test_what_passes_is_a_point_of_the_space(name: str, data: st.DataObject) -> None:
    genome = GENOMES[name]
    row = genome.random(1, np.random.default_rng(data.draw(st.integers(0, 99))))[0]
    if genome.length:
        column = data.draw(st.integers(0, genome.length - 1))
        row[column] = data.draw(st.integers(-1, 4))
    try:
        genome.validate(row[None])
    except ValueError as error:
        assert str(error).endswith(".") and "\n" not in str(error)
        return
    genome.spec.validate(genome.to_dna(row))
    assert np.array_equal(genome.from_dna(genome.to_dna(row)), row)
