"""A compiled space and PyGlove agree on every individual, both ways."""

from __future__ import annotations

import random

import cloudpickle
import numpy as np
import pyglove as pg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nested_spaces import SPACES

from autoglyph.search_spaces import Genome

GENOMES = {name: Genome(make()) for name, make in SPACES.items()}
seeds = st.integers(0, 2**32 - 1)
names = st.sampled_from(sorted(GENOMES))


def nodes(dna: pg.DNA) -> list[pg.DNA]:
    return [dna, *(node for child in dna.children for node in nodes(child))]


def encodable(value: object) -> object:
    """The value as somebody else would write it, without what PyGlove remembers of its origin."""
    return value.clone(deep=True) if isinstance(value, pg.Symbolic) else value


@settings(max_examples=80, deadline=None)
@given(names, seeds)
def test_dna_survives_the_way_through_a_row(name: str, seed: int) -> None:
    genome = GENOMES[name]
    dna = pg.random_dna(genome.spec, random.Random(seed))
    row = genome.from_dna(dna)
    genome.validate(row[None])
    again = genome.to_dna(row)
    assert again == dna
    assert [node.spec for node in nodes(again)] == [node.spec for node in nodes(dna)]
    assert [node.sym_path for node in nodes(again)] == [node.sym_path for node in nodes(dna)]
    assert all(child.parent_dna is parent for parent in nodes(again) for child in parent.children)
    made = zip(genome.to_json(row), genome.active(row[None])[0], strict=True)
    assert again.to_numbers() == [decision for decision, is_made in made if is_made]
    assert again.clone(deep=True) == dna


@settings(max_examples=80, deadline=None)
@given(names, seeds)
def test_row_survives_the_ways_through_dna_and_json(name: str, seed: int) -> None:
    genome = GENOMES[name]
    row = genome.random(1, np.random.default_rng(seed))[0]
    assert row.dtype == genome.dtype and row.shape == (genome.length,)
    genome.spec.validate(genome.to_dna(row))
    assert np.array_equal(genome.from_dna(genome.to_dna(row)), row)
    assert np.array_equal(genome.from_json(genome.to_json(row)), row)


@settings(max_examples=120, deadline=None)
@given(names, seeds)
def test_decoded_values_are_those_of_pyglove(name: str, seed: int) -> None:
    genome = GENOMES[name]
    row = genome.random(1, np.random.default_rng(seed))[0]
    fast, slow = genome.decode(row), genome.template.decode(genome.to_dna(row))
    assert type(fast) is type(slow)
    assert pg.eq(fast, slow)
    assert pg.format(fast) == pg.format(slow)


@settings(max_examples=80, deadline=None)
@given(names.filter(lambda name: name not in ("custom",)), seeds)
def test_encode_inverts_decode(name: str, seed: int) -> None:
    genome = GENOMES[name]
    row = genome.random(1, np.random.default_rng(seed))[0]
    value = encodable(genome.decode(row))
    again = genome.encode(value)
    assert pg.eq(genome.decode(again), value)
    assert np.array_equal(again, row)


@pytest.mark.parametrize("name", [name for name in SPACES if name not in ("derived", "constant")])
def test_the_fast_decoder_passes_its_own_check(name: str) -> None:
    genome = Genome(SPACES[name]())
    genome.decode(genome.random(1, np.random.default_rng(0))[0])
    assert genome._decoder != genome._decode_slowly
    assert genome._dna_builder != genome._build_dna_slowly


def test_a_decoder_that_disagrees_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(template: object, elements: object) -> object:
        return lambda decisions: pg.Dict(width=0, depth="shallow", rate=0.5)

    monkeypatch.setattr("autoglyph.search_spaces.decode.compile_decoder", wrong)
    genome = Genome(SPACES["flat"]())
    assert genome.decode(genome.from_json([1, 1])) == pg.Dict(width=32, depth="deep", rate=0.5)


def test_decoded_values_are_new_and_whole_trees() -> None:
    genome = GENOMES["conditional"]
    row = genome.from_json([0, 1, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0])
    first, second = genome.decode(row), genome.decode(row)
    assert first is not second and first.stages[0] is not second.stages[0]
    assert first.stages[0].depth == 2
    assert first.stages[0].sym_path == "stages[0]" and first.stages[0].sym_parent is first.stages
    first.stages[0].rebind(skip=False)
    assert second.stages[0].skip is True
    with pytest.raises(TypeError):
        first.stages[0].rebind(skip="no")


def test_a_custom_constructor_runs() -> None:
    genome = GENOMES["constructors"]
    assert genome.decode(genome.from_json([1, 1, 0, 2, 0])).scaled.product == 8


def test_a_bare_specification_decodes_to_dna() -> None:
    genome = Genome(pg.dna_spec(SPACES["conditional"]()))
    row = genome.random(1, np.random.default_rng(0))[0]
    assert genome.template is None
    assert genome.decode(row) == genome.to_dna(row)
    with pytest.raises(ValueError, match="bare pg.DNASpec"):
        genome.encode(pg.Dict())


def test_plain_dicts_and_lists_are_spaces_too() -> None:
    genome = Genome({"stages": [{"kernel": pg.oneof([1, 3])}]})
    assert pg.eq(genome.decode(genome.from_json([1])), pg.Dict(stages=[pg.Dict(kernel=3)]))
    assert Genome([pg.oneof([1, 2])]).decode(np.array([1], np.int32)) == [2]


def test_where_leaves_the_other_hyper_values_alone() -> None:
    genome = Genome(SPACES["flat"](), where=lambda hyper: len(hyper.candidates) == 3)
    assert [column.name for column in genome.columns] == ["width"]
    assert isinstance(genome.decode(genome.from_json([2])).sym_getattr("depth"), pg.hyper.OneOf)


@pytest.mark.parametrize("name", sorted(SPACES))
def test_a_genome_travels_as_its_space(name: str) -> None:
    there = cloudpickle.loads(cloudpickle.dumps(GENOMES[name]))
    assert there.digest == GENOMES[name].digest
    row = GENOMES[name].random(1, np.random.default_rng(1))[0]
    decisions = GENOMES[name].to_json(row)
    assert there.to_json(there.from_json(decisions)) == decisions
    assert there.keys(there.from_json(decisions)[None]) == GENOMES[name].keys(row[None])


def test_foreign_dna_and_values_are_refused() -> None:
    genome = GENOMES["flat"]
    with pytest.raises(ValueError, match="Expected a choice from 0 to 2 for width, received 3"):
        genome.from_dna(pg.DNA([3, 0]))
    with pytest.raises(ValueError, match="Expected 2 DNA nodes"):
        genome.from_dna(pg.DNA([0, 0, 0]))
    with pytest.raises(ValueError):
        genome.encode(pg.Dict(width=17, depth="deep", rate=0.5))
    with pytest.raises(ValueError, match="distinct"):
        GENOMES["root_multi_choice"].encode([5, 5])
