"""Columns say what the genes mean; the digest says whether two spaces are the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyglove as pg
import pytest
from nested_spaces import SPACES, Conv, Dense, Stage

from autoglyph.search_spaces import Genome

GENOMES = {name: Genome(make()) for name, make in SPACES.items()}


@pytest.mark.parametrize("name", sorted(SPACES))
def test_columns_are_the_decision_points(name: str) -> None:
    genome = GENOMES[name]
    points = genome.spec.decision_points
    assert [column.name for column in genome.columns] == [str(point.id) for point in points]
    assert genome.cardinalities.tolist() == [len(point.candidates) if point.is_categorical else 0 for point in points]
    rows = genome.random(50, np.random.default_rng(0))
    active = genome.active(rows)
    for i, column in enumerate(genome.columns):
        needed = active[:, i] if column.parent < 0 else rows[:, column.parent] == column.parent_value
        assert (active[:, i] <= needed).all()
        assert genome.literals(rows, i).shape == (50,)


def test_columns_describe_choices_and_floats() -> None:
    genome = GENOMES["floats"]
    head, value = genome.columns[:2]
    assert (head.name, head.kind, head.parent) == ("head", "choice", -1)
    assert (value.name, value.kind, value.bounds) == ("head[=0/3].units", "float", (0.5, 2.0))
    assert (value.parent, value.parent_value) == (0, 0)
    assert genome.dtype is np.float64 and GENOMES["flat"].dtype is np.int32


def test_literals_are_the_candidates() -> None:
    genome = GENOMES["flat"]
    rows = genome.from_json([2, 1])[None]
    assert genome.literals(rows, 0).tolist() == [64]
    assert genome.literals(rows, 1).tolist() == ["deep"]
    assert genome.columns[1].candidates == ("shallow", "deep")


def test_columns_under_a_path_determine_the_part() -> None:
    head = pg.oneof([Dense(pg.oneof([1.0, 2.0])), Conv(3)])
    stages = [Stage([Conv(pg.oneof([1, 3])), pg.oneof([1, 2])]), pg.oneof([Stage([pg.oneof([4, 5])]), None])]
    genome = Genome(pg.Dict(scaling=pg.oneof([1, 2]), stages=stages, head=head, order=pg.permutate([1, 2, 3])))
    names = [column.name for column in genome.columns]

    def under(path: str) -> list[str]:
        return [names[i] for i in genome.columns_under(path)]

    assert under("scaling") == ["scaling"]
    assert under("stages[0]") == ["stages[0].layers[0].kernel", "stages[0].layers[1]"]
    assert under("stages[0].layers[0]") == ["stages[0].layers[0].kernel"]
    assert under("stages[0].layers[0].filters") == []
    assert under("stages[1]") == ["stages[1]", "stages[1][=0/2].layers[0]"]
    assert under("stages[1].layers[0]") == ["stages[1]", "stages[1][=0/2].layers[0]"]
    assert under("head.units") == ["head", "head[=0/2].units"]
    assert under("order[1]") == ["order[1]"]
    assert under("") == names
    with pytest.raises(ValueError, match="Expected a path within the space, received 'stages\\[7\\]'."):
        under("stages[7]")


def test_parts_are_equal_where_their_columns_are() -> None:
    genome = GENOMES["conditional"]
    columns = genome.columns_under("stages[0].layers[0]")
    parts: dict[bytes, object] = {}
    for row in genome.random(200, np.random.default_rng(1)):
        part = genome.decode(row).sym_get(pg.KeyPath.parse("stages[0].layers[0]"))
        assert pg.eq(parts.setdefault(row[columns].tobytes(), part), part)
    assert len(parts) > 5


def test_derived_values_may_depend_on_any_column() -> None:
    assert GENOMES["derived"].columns_under("same").tolist() == [0, 1]


def test_digests_tell_spaces_apart_and_nothing_else() -> None:
    digests = {name: genome.digest for name, genome in GENOMES.items()}
    assert len(set(digests.values())) == len(SPACES)
    assert digests == {name: Genome(make()).digest for name, make in SPACES.items()}
    flat = pg.Dict(width=pg.oneof([16, 32, 64]), depth=pg.oneof(["shallow", "deep"]), rate=0.5)
    assert Genome(flat).digest == digests["flat"]
    assert Genome(pg.dna_spec(flat)).digest == digests["flat"]
    for other in (
        pg.Dict(width=pg.oneof([16, 32, 65]), depth=pg.oneof(["shallow", "deep"])),
        pg.Dict(width=pg.oneof([16, 64, 32]), depth=pg.oneof(["shallow", "deep"])),
        pg.Dict(width=pg.oneof([16, 32, "64"]), depth=pg.oneof(["shallow", "deep"])),
        pg.Dict(breadth=pg.oneof([16, 32, 64]), depth=pg.oneof(["shallow", "deep"])),
        pg.Dict(width=pg.manyof(1, [16, 32, 64]), depth=pg.oneof(["shallow", "deep"]), more=pg.oneof([1])),
    ):
        assert Genome(other).digest != digests["flat"]
    named = pg.Dict(width=pg.oneof([16, 32, 64], name="w", hints=object()), depth=pg.oneof(["shallow", "deep"]))
    assert Genome(named).digest == digests["flat"]


def test_digests_do_not_depend_on_the_process() -> None:
    script = """
import functools, numpy as np, pyglove as pg
from nested_spaces import SPACES, scale
from autoglyph.search_spaces import Genome
class Plain: pass
odd = pg.oneof([Plain, Plain(), scale, len, functools.partial(len), {"b": 1, "a": 2}, (1, {"b", "a", "c"}), lambda: 1])
for make in [*SPACES.values(), lambda: odd]:
    genome = Genome(make())
    print(genome.digest, genome.keys(genome.random(3, np.random.default_rng(0))))
"""

    def run(seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parent)}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    first = run("1")
    assert len(first.splitlines()) == len(SPACES) + 1
    assert first == run("2")


def test_sets_among_the_candidates_do_not_shake_the_digest() -> None:
    script = """
import pyglove as pg
from autoglyph.search_spaces import Genome
print(Genome(pg.oneof([{"a", "b", "c", "d"}, frozenset("wxyz")])).digest)
"""
    digests = set()
    for seed in ("1", "2", "3"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        digests.add(done.stdout)
    assert len(digests) == 1
