"""Parts of a space decode to what the whole has there, and refuse what is no part."""

import numpy as np
import pyglove as pg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoglyph.search_spaces import Genome
from autoglyph.search_spaces.parts import Part, named_parts, part_names


def space() -> Genome:
    return Genome(
        pg.Dict(
            head=pg.oneof([pg.Dict(a=pg.oneof([1, 2, 3])), pg.Dict(b=pg.manyof(2, [1, 2, 3, 4]), c=pg.oneof([1, 2]))]),
            fixed=7,
            body=pg.Dict(rate=pg.floatv(0.0, 1.0), order=pg.permutate([1, 2, 3])),
            tail=pg.oneof(["x", "y", "z"]),
        )
    )


GENOME = space()


def test_top_level_parts_cover_the_space_and_multiply_to_its_size() -> None:
    finite = Genome(pg.Dict(a=pg.oneof([1, 2]), b=pg.Dict(c=pg.oneof([1, 2, 3]), d=pg.permutate([1, 2, 3])), e=5))
    found = named_parts(finite, [])
    assert [part.name for part in found] == part_names(finite) == ["a", "b"]
    assert sorted(np.concatenate([part.columns for part in found]).tolist()) == list(range(finite.length))
    assert np.prod([part.genome.size for part in found]) == finite.size


@given(st.integers(0, 2**32 - 1), st.sampled_from(["head", "body", "tail", "body.rate"]))
def test_a_part_decodes_to_what_the_whole_has_there(seed: int, path: str) -> None:
    rng = np.random.default_rng(seed)
    part, rows = Part(GENOME, path), GENOME.random(3, rng)
    for row, own in zip(rows, part.of(rows), strict=True):
        assert pg.eq(part.genome.decode(own), GENOME.decode(row).sym_get(pg.KeyPath.parse(path)))
    new = part.genome.random(4, rng)
    placed = part.within(new, rows[0])
    GENOME.validate(placed)
    np.testing.assert_array_equal(part.of(placed), new)
    others = np.setdiff1d(np.arange(GENOME.length), part.columns)
    assert (placed[:, others] == rows[0][others]).all()


def test_several_paths_are_one_part() -> None:
    part = Part(GENOME, "tail", "head")
    rows = GENOME.random(5, np.random.default_rng(0))
    tail, head = part.genome.decode(part.of(rows)[0])
    whole = GENOME.decode(rows[0])
    assert pg.eq(head, whole.head) and tail == whole.tail


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["tial"], "did you mean 'tail'"),
        (["fixed"], "Unknown part"),
        (["body", "body.rate"], "overlap"),
        (["head.a"], "name a larger part"),
    ],
)
def test_what_is_no_part_is_refused(paths: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        named_parts(GENOME, paths)


def test_a_single_decision_has_no_parts() -> None:
    with pytest.raises(ValueError, match="no parts"):
        part_names(Genome(pg.oneof([1, 2])))
