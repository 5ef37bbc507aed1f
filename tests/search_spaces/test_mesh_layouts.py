"""The space of mesh layouts: what is feasible, known individuals, reading of meshes and layouts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autoglyph.search_spaces.mesh_layouts import check_layout, mesh_shapes, parse_layout, parse_mesh
from autoglyph.search_spaces.spaces.mesh_layout import PROCESSORS, PROGRAM, SPACE, layout_arrays


def test_feasible_points_are_the_legal_ones_without_doubles() -> None:
    genome = SPACE.genome
    rows = genome.rows_at(0, genome.size)
    mask = SPACE.feasible(rows)
    assert len(rows) == 4 * 3**8 and 300 < mask.sum() < 700
    seen = set()
    for row in rows[mask]:
        point = genome.decode(row)
        mesh, layout = point.mesh_sizes, point.layout
        assert math.prod(mesh.values()) == PROCESSORS
        check_layout(PROGRAM, mesh, layout)
        assert all(mesh[axis] > 1 for axis in layout.values())
        sizes = {dim: mesh[axis] for dim, axis in layout.items()}
        groups = frozenset(frozenset(d for d, a in layout.items() if a == axis) for axis in mesh)
        key = (frozenset(mesh.values()), frozenset(sizes.items()), groups)
        assert key not in seen, layout
        seen.add(key)


@pytest.mark.parametrize("name", ["data-parallel", "model-parallel", "data-and-model-parallel"])
def test_known_layouts_are_feasible_points(name: str) -> None:
    point = SPACE.individual(name)
    rows = np.array([SPACE.genome.encode(point)])
    assert SPACE.feasible(rows).all()
    axes, sizes = layout_arrays(rows, SPACE.genome)
    assert tuple(sizes[0]) == tuple(point.mesh_sizes.values())
    assert (axes[0] > 0).sum() == len(point.layout)


def test_meshes_are_factorisations() -> None:
    assert mesh_shapes(64) == [(64, 1), (32, 2), (16, 4), (8, 8)]
    assert mesh_shapes(8) == [(8, 1), (4, 2)] and mesh_shapes(1) == [(1, 1)]
    with pytest.raises(ValueError, match="12 processors are not a power of two"):
        mesh_shapes(12)


def test_meshes_and_layouts_are_read() -> None:
    assert parse_mesh("x=4, y=2") == {"x": 4, "y": 2}
    assert parse_layout("batch=x,channels=y") == {"batch": "x", "channels": "y"} and parse_layout("") == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [("x4", "write x=4,y=2"), ("x=4,x=2", "names x twice"), ("x=0", "positive whole number"), ("x=two", "'two'")],
)
def test_unreadable_meshes_are_one_sentence(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_mesh(text)
