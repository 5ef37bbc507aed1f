"""Meshes of processors and layouts of tensor programs on them: reading, legality (Shazeer et al. 2018).

A mesh is {"x": 4, "y": 2}, a layout {"batch": "x", "heads": "y"}: every tensor that has the dimension batch is
split over x along it, and repeated over the mesh dimensions that none of its dimensions is split over.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from autoglyph.search_spaces import plugins
from autoglyph.search_spaces.mesh_program import Program

Mesh = Mapping[str, int]
Layout = Mapping[str, str]


def parse_mesh(text: str) -> dict[str, int]:
    """Reads "x=4,y=2".

    Raises:
        ValueError: if it is not of this form, or a size is not positive.
    """
    mesh = {}
    for name, value in _pairs(text, "mesh", "x=4,y=2").items():
        if not value.isdecimal() or int(value) < 1:
            raise ValueError(f"The mesh dimension {name} has size {value!r}: give a positive whole number.")
        mesh[name] = int(value)
    return mesh


def parse_layout(text: str) -> dict[str, str]:
    """Reads "batch=x,heads=y"; an empty text splits nothing.

    Raises:
        ValueError: if it is not of this form.
    """
    return _pairs(text, "layout", "batch=x,heads=y") if text else {}


def check_names(layout: Layout, mesh: Mesh, dims: Sequence[str]) -> None:
    """Refuses a layout that names a dimension or a mesh dimension that there is not.

    Raises:
        ValueError: with the nearest names.
    """
    for dim, axis in layout.items():
        if dim not in dims:
            raise plugins.unknown_name("dimension", dim, dims)
        if axis not in mesh:
            raise plugins.unknown_name("mesh dimension", axis, mesh)


def check_layout(program: Program, mesh: Mesh, layout: Layout) -> None:
    """Refuses a layout under which the program cannot run.

    Two dimensions of one tensor may not be split over the same mesh dimension, nor two dimensions that one
    operation multiplies: a processor would hold parts that do not belong together. A size must divide by the
    mesh dimension's.

    Raises:
        ValueError: in one sentence that names the tensor or the operation.
    """
    check_names(layout, mesh, list(program.sizes))
    for dim, axis in layout.items():
        if program.sizes[dim] % mesh[axis]:
            raise ValueError(
                f"The dimension {dim} of size {program.sizes[dim]} does not divide by {mesh[axis]}, the size of the "
                f"mesh dimension {axis}: choose another mesh or leave {dim} whole."
            )
    for owner, dims in _owners(program):
        for first, second in itertools.combinations(dims, 2):
            if layout.get(first) is not None and layout.get(first) == layout.get(second):
                raise ValueError(
                    f"The {owner} has both {first} and {second}, which the layout splits over the same mesh "
                    f"dimension {layout[first]}: move one of them or leave it whole."
                )


def legal(
    program: Program, dims: Sequence[str], axes: NDArray[np.int64], sizes: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which of many layouts `check_layout` would accept.

    Args:
        program: what is laid out.
        dims: names of the dimensions in the columns of `axes`; all others are whole.
        axes: (n, dims) mesh dimension of each, 0 for none, 1 for the first one.
        sizes: (n, mesh dimensions) of the meshes.

    Returns:
        (n,) mask.
    """
    splits = split_sizes(axes, sizes)
    whole = np.array([program.sizes[dim] for dim in dims], np.int64)
    mask = np.asarray((whole % splits == 0).all(1), np.bool_)
    column = {dim: i for i, dim in enumerate(dims)}
    clashing = {
        pair for _, owned in _owners(program) for pair in itertools.combinations([d for d in owned if d in column], 2)
    }
    for first, second in clashing:
        mask &= (axes[:, column[first]] == 0) | (axes[:, column[first]] != axes[:, column[second]])
    return mask


def split_sizes(axes: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n, dims) in how many parts each dimension is, for axes (n, dims) as in `legal` and sizes (n, mesh dims)."""
    with_none = np.concatenate([np.ones((len(sizes), 1), np.int64), sizes], axis=1)
    return np.take_along_axis(with_none, axes, axis=1)


def mesh_shapes(processors: int) -> list[tuple[int, int]]:
    """Meshes of two dimensions of so many processors, the first one at least as large as the second.

    Raises:
        ValueError: if the number is not a power of two.
    """
    power = processors.bit_length() - 1
    if processors < 1 or processors != 1 << power:
        raise ValueError(f"{processors} processors are not a power of two: give 1, 2, 4, 8, ...")
    return [(1 << (power - low), 1 << low) for low in range(power // 2 + 1)]


def processors(mesh: Mesh) -> int:
    """How many processors a mesh has."""
    return math.prod(mesh.values())


def _owners(program: Program) -> list[tuple[str, tuple[str, ...]]]:
    tensors = [(f"tensor {name}", dims) for name, dims in program.tensors.items()]
    products = [
        (f"operation {op.name}", program.dims(op.inputs))
        for op in program.operations
        if op.kind in ("einsum", "lookup")
    ]
    return tensors + products


def _pairs(text: str, what: str, example: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(","):
        name, separator, value = (piece.strip() for piece in part.partition("="))
        if not separator or not name or not value:
            raise ValueError(f"Cannot read the {what} {text!r}: write {example}.")
        if name in found:
            raise ValueError(f"The {what} {text!r} names {name} twice: name it once.")
        found[name] = value
    return found
