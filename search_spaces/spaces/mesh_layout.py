"""Layouts of a Transformer on a mesh of processors, after Mesh-TensorFlow (Shazeer et al. 2018).

Decisions: the shape of a two-dimensional mesh of 64 processors, and for each named dimension of the program the
mesh dimension it is split over, or none. Illegal layouts are never tried, nor those that split over a mesh
dimension of size 1 or that another one equals with x and y exchanged. The Transformer is a language model of 4.1
billion weights, too large for one processor; its sizes are a choice of this space in the range of the paper's
largest models.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyglove as pg
from numpy.typing import NDArray

from autoglyph.search_spaces.genome import Genome, Rows
from autoglyph.search_spaces.mesh_layouts import legal, mesh_shapes, split_sizes
from autoglyph.search_spaces.mesh_program import transformer
from autoglyph.search_spaces.space import SearchSpace

PROCESSORS = 64
AXES = ("none", "x", "y")
DIMS = ("batch", "length", "memory_length", "d_model", "heads", "d_k", "d_ff", "vocab")
PROGRAM = transformer(batch=256, length=256, d_model=1024, heads=256, d_k=128, d_ff=262144, vocab=32768, layers=6)
_SHAPES = mesh_shapes(PROCESSORS)


class MeshLayout(pg.Object):
    """A mesh and a layout on it.

    Attributes:
        mesh: sizes of x and y, such as "16x4".
        dims: "x", "y" or "none" by name of the dimension.
    """

    mesh: str
    dims: Any

    @property
    def mesh_sizes(self) -> dict[str, int]:
        """Sizes of the mesh dimensions by name."""
        return dict(zip(AXES[1:], map(int, self.mesh.split("x")), strict=True))

    @property
    def layout(self) -> dict[str, str]:
        """Mesh dimension by name of the tensor dimension, those that are split."""
        return {dim: axis for dim, axis in self.dims.items() if axis != AXES[0]}


def layout_arrays(rows: Rows, genome: Genome) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(n, dims) mesh dimensions, 0 for none, and (n, 2) mesh sizes of rows of this space."""
    at = {column.name: i for i, column in enumerate(genome.columns)}
    axes = np.stack([rows[:, at[f"dims.{dim}"]] for dim in DIMS], axis=1).astype(np.int64)
    return axes, np.array(_SHAPES, np.int64)[rows[:, at["mesh"]].astype(np.int64)]


def _feasible(rows: Rows, genome: Genome) -> NDArray[np.bool_]:
    axes, sizes = layout_arrays(rows, genome)
    splits_nothing = (axes > 0) & (split_sizes(axes, sizes) == 1)
    first_split = axes[np.arange(len(axes)), (axes > 0).argmax(1)]
    is_mirrored = (sizes[:, 0] == sizes[:, 1]) & (first_split == 2)
    return np.asarray(legal(PROGRAM, DIMS, axes, sizes) & ~splits_nothing.any(1) & ~is_mirrored, np.bool_)


def _space() -> MeshLayout:
    return MeshLayout(
        mesh=pg.oneof([f"{x}x{y}" for x, y in _SHAPES]),
        dims=pg.Dict({dim: pg.oneof(list(AXES)) for dim in DIMS}),
    )


def _layout(mesh: str, layout: Mapping[str, str]) -> MeshLayout:
    return MeshLayout(mesh=mesh, dims=pg.Dict({dim: layout.get(dim, AXES[0]) for dim in DIMS}))


_MODEL = {"heads": "y", "d_ff": "y", "vocab": "y"}
SPACE = SearchSpace(
    "mesh_layout",
    _space,
    individuals={
        "data-parallel": lambda: _layout("64x1", {"batch": "x"}),
        "model-parallel": lambda: _layout("64x1", dict.fromkeys(_MODEL, "x")),
        "data-and-model-parallel": lambda: _layout("8x8", {"batch": "x", **_MODEL}),
    },
    feasible=_feasible,
    description="Mesh shape of 64 processors and the split of each dimension of a Transformer",
)
