"""Flows as values: joint, separate, factorised and hybrid over any split of a space, one in another."""

import numpy as np
import pyglove as pg
import pytest
from folds import Fold
from hypothesis import given, settings
from hypothesis import strategies as st

from autoglyph.algorithms.exhaustive import Exhaustive
from autoglyph.algorithms.hybrid import Hybrid
from autoglyph.algorithms.joint import Joint
from autoglyph.algorithms.nested import Nested
from autoglyph.algorithms.random import Random
from autoglyph.algorithms.regularized_evolution import RegularizedEvolution
from autoglyph.algorithms.separate import Separate
from autoglyph.search_spaces import Genome
from autoglyph.search_spaces.parts import split


class Chip(pg.Object):
    lanes: int
    memory: int


SPACE = pg.Dict(
    network=pg.Dict(width=pg.oneof(range(5)), depth=pg.oneof(range(4))),
    chip=Chip(lanes=pg.oneof(range(5)), memory=pg.oneof(range(3))),
)


def value_of(rows: np.ndarray) -> np.ndarray:
    """Best where lanes fit the width and memory the depth: neither part can be chosen by itself."""
    width, depth, lanes, memory = rows.astype(float).T
    return (3 * width + depth - 4 * (width - lanes) ** 2 - 2 * (depth - memory) ** 2 - lanes * memory)[:, None]


OPTIMUM = max(float(value_of(rows).max()) for rows in Genome(SPACE).enumerate())


def fold(algorithm: object, seed: int = 0) -> Fold:
    found = Fold(algorithm, Genome(SPACE), seed=seed)
    found.values = value_of
    return found


def rows_of(found: Fold) -> np.ndarray:
    return np.concatenate([p.rows for p in found.proposals])


def best_of(found: Fold) -> float:
    return max(float(o.fitness.max()) for o in found.told)


SPLITS = {
    "path": ("chip", [2, 3]),
    "deeper path": ("network.width", [0]),
    "key": ("lanes", [2]),
    "class": (Chip, [2, 3]),
    "several": (["network.depth", Chip], [1, 2, 3]),
    "where": (lambda hyper: len(hyper.candidates) == 5, [0, 2]),
}


@pytest.mark.parametrize("name", SPLITS)
def test_the_sizes_of_a_split_multiply_to_the_size_of_the_space(name: str) -> None:
    chosen, columns = SPLITS[name]
    genome = Genome(SPACE)
    part, rest = split(genome, chosen)
    assert part.columns.tolist() == columns
    assert sorted([*part.columns, *rest.columns]) == list(range(genome.length))
    assert part.genome.size * rest.genome.size == genome.size == 300


PIECES = st.recursive(
    st.integers(2, 3).map(lambda n: pg.oneof(list(range(n)))) | st.just(5),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=2).map(pg.List)
        | st.tuples(inner, inner).map(lambda pair: pg.oneof([pg.Dict(a=pair[0]), pg.Dict(b=pair[1])]))
        | st.integers(3, 4).map(lambda n: pg.manyof(2, list(range(n))))
    ),
    max_leaves=5,
)


@settings(max_examples=25, deadline=None)
@given(st.lists(PIECES, min_size=2, max_size=4), st.data())
def test_any_split_of_any_space_multiplies(pieces: list, data: st.DataObject) -> None:
    value = pg.Dict({f"p{i}": piece.clone(deep=True) if isinstance(piece, pg.Symbolic) else piece
                     for i, piece in enumerate([*pieces, pg.oneof([1, 2])])})  # fmt: skip
    genome = Genome(value)
    paths = [str(path) for path, _ in genome.template.hyper_primitives]
    chosen = data.draw(st.sets(st.sampled_from(paths), min_size=1))
    if len(chosen) == len(paths):
        with pytest.raises(ValueError, match="which is all"):
            split(genome, sorted(chosen))
        return
    part, rest = split(genome, sorted(chosen))
    assert part.genome.size * rest.genome.size == genome.size
    rows = genome.random(3, np.random.default_rng(0))
    new = part.genome.random(3, np.random.default_rng(1))
    placed = part.within(new, rows[0])
    genome.validate(placed)
    np.testing.assert_array_equal(part.of(placed), new)
    np.testing.assert_array_equal(rest.of(placed), np.repeat(rest.of(rows[:1]), 3, axis=0))


@pytest.mark.parametrize("part", ["chip", Chip, lambda hyper: len(hyper.candidates) == 5])
def test_factorised_search_finds_the_enumerated_optimum(part: object) -> None:
    flow = Nested(outer_part=part, outer=Exhaustive(), inner=Exhaustive(), inner_trials=20, warm_start=False)
    found = fold(flow).run(80, 20)
    assert len(found.numbers) == 300 and best_of(found) == OPTIMUM


def test_separate_search_holds_the_rest_and_then_the_best_part() -> None:
    start = [2, 2, 0, 0]
    flow = Separate(part="network", algorithm=Exhaustive(), trials=20, start=start, then=Joint(algorithm=Exhaustive()))
    rows = rows_of(fold(flow).run(7, 5))
    assert (rows[:20, 2:] == 0).all() and len(np.unique(rows[:20], axis=0)) == 20
    best = rows[:20][value_of(rows[:20])[:, 0].argmax(), :2]
    assert (rows[20:35, :2] == best).all() and len(np.unique(rows[20:35], axis=0)) == 15


def test_flows_nest_in_words_of_the_whole_space() -> None:
    flow = Separate(
        part="network.depth",
        trials=4,
        algorithm=Exhaustive(),
        then=Nested(outer_part="lanes", outer=Exhaustive(), inner=Exhaustive(), inner_trials=15, warm_start=False),
    )
    rows = rows_of(fold(flow).run(60, 15))
    assert len(np.unique(rows[:4, 1])) == 4 and len(np.unique(rows[4:79, 1])) == 1
    assert len(np.unique(rows[4:79], axis=0)) == 75, "all of what is left: 5 widths, 5 lanes, 3 memories"
    assert (np.diff(rows[4:79, 2]) != 0).sum() == 4, "one inner search for each number of lanes"
    deeper = Separate(part="chip", then=Separate(part="network.depth", trials=3, then=Joint()), trials=3)
    rows = rows_of(fold(deeper).run(9, 1))
    assert len(np.unique(rows[3:, 2:], axis=0)) == 1


def test_hybrid_search_goes_on_from_the_best_of_the_first() -> None:
    small = RegularizedEvolution(population_size=12, tournament_size=12)
    found = fold(Hybrid(first=Separate(part="chip", trials=12), trials=24, then=Joint(algorithm=small)))
    known: dict[int, np.ndarray] = {}
    while (found.step(2).parents == -1).all():
        assert len(found.numbers) <= 24
        known = dict(found.fitness)
    (parent, _) = found.proposals[-1].parents[0]
    assert known[parent] == max(known.values()), "its first child is of the best found"
    found = fold(Hybrid(first=Joint(algorithm=Exhaustive(), trials=10), trials=50, then=Joint(algorithm=Random())))
    found.run(30, 2)
    assert len({tuple(row) for row in rows_of(found)[:10].tolist()}) == 10, "the first ends before its share"
    assert len(rows_of(found)) == 60


def test_joint_search_ends_after_its_trials() -> None:
    assert len(fold(Joint(algorithm=Exhaustive(), trials=7)).run(9, 3).numbers) == 7


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ("chpi", "did you mean 'chip'"),
        (pg.hyper.Float, "No decision of the space is chosen"),
        (lambda hyper: True, "which is all"),
    ],
)
def test_splits_that_are_none_are_refused(chosen: object, message: str) -> None:
    for flow in (Separate(part=chosen), Nested(outer_part=chosen)):
        with pytest.raises(ValueError, match=message):
            fold(flow)
    inner = Genome(pg.Dict(a=pg.oneof([pg.Dict(u=pg.oneof([1, 2])), 3]), b=pg.oneof([1, 2])))
    with pytest.raises(ValueError, match="name a larger part"):
        split(inner, "u")
