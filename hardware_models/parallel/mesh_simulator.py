"""A tensor program run in NumPy on simulated processors, every byte between them sent through a ring.

The reference for `mesh`: its results must be those of one processor, and what it sends is counted where it is
sent. It is meant for small programs; nothing runs side by side.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.search_spaces.mesh_layouts import Layout, Mesh, check_layout, processors
from autoglyph.search_spaces.mesh_program import GRADIENT, Operation, Program

Array = NDArray[Any]
Combine = Callable[[Array, Array], Array]


@dataclass(frozen=True, eq=False)
class Simulation:
    """What came out of a run.

    Attributes:
        values: whole tensors by name, put together from the processors.
        sent_elements: (processors,) elements that each processor sent, by name of the operation.
    """

    values: dict[str, Array]
    sent_elements: dict[str, NDArray[np.int64]]


def simulate_program(program: Program, values: Mapping[str, Array], mesh: Mesh, layout: Layout) -> Simulation:
    """Runs a program under a layout, each operation once whatever its repeats.

    Gradients of one tensor that several operations make are summed.

    Args:
        program: what to run.
        values: whole tensors that no operation makes, by name.
        mesh: sizes of the mesh dimensions by name.
        layout: mesh dimension by name of the tensor dimension.

    Raises:
        ValueError: if the layout is illegal, or a value is missing or of another shape.
    """
    check_layout(program, mesh, layout)
    machine = _Machine(program, mesh, layout)
    shards: dict[str, list[Array]] = {}
    for name, value in values.items():
        shape = tuple(program.sizes[dim] for dim in program.tensors[name])
        if value.shape != shape:
            raise ValueError(f"{name} has shape {value.shape}: give {shape}.")
        shards[name] = machine.scatter(value, program.tensors[name])
    sent = {}
    for op in program.operations:
        for name in op.inputs:
            if name not in shards:
                raise ValueError(f"The operation {op.name} needs {name}, which nothing makes: give its value.")
        machine.sent[:] = 0
        made = machine.run(op, [shards[name] for name in op.inputs])
        if op.output.startswith(GRADIENT) and op.output in shards:
            made = [a + b for a, b in zip(shards[op.output], made, strict=True)]
        shards[op.output] = made
        sent[op.name] = machine.sent.copy()
    whole = {name: machine.gather(parts, program.tensors[name]) for name, parts in shards.items()}
    return Simulation(whole, sent)


class _Machine:
    """Processors at the points of a mesh, and how they hold and exchange tensors."""

    def __init__(self, program: Program, mesh: Mesh, layout: Layout) -> None:
        self._program = program
        self._mesh = dict(mesh)
        self._layout = layout
        self._places = [dict(zip(mesh, point, strict=True)) for point in itertools.product(*map(range, mesh.values()))]
        self.sent = np.zeros(processors(mesh), np.int64)

    def _slices(self, dims: Sequence[str], place: Mapping[str, int]) -> tuple[slice, ...]:
        found = []
        for dim in dims:
            axis = self._layout.get(dim)
            part = self._program.sizes[dim] // (self._mesh[axis] if axis else 1)
            first = part * place[axis] if axis else 0
            found.append(slice(first, first + part))
        return tuple(found)

    def scatter(self, value: Array, dims: Sequence[str]) -> list[Array]:
        """The part of each processor."""
        return [value[self._slices(dims, place)] for place in self._places]

    def gather(self, parts: Sequence[Array], dims: Sequence[str]) -> Array:
        """The whole tensor, where processors that hold the same part must agree."""
        whole = np.full([self._program.sizes[dim] for dim in dims], np.nan)
        for part, place in zip(parts, self._places, strict=True):
            whole[self._slices(dims, place)] = part
        for part, place in zip(parts, self._places, strict=True):
            np.testing.assert_allclose(part, whole[self._slices(dims, place)], rtol=1e-9, atol=1e-12)
        return whole

    def run(self, op: Operation, inputs: Sequence[list[Array]]) -> list[Array]:
        """The output of an operation on every processor."""
        program = self._program
        if op.kind == "rename":
            return self._rename(op, inputs[0])
        if op.kind == "relu":
            return [_relu(*local) for local in zip(*inputs, strict=True)]
        if op.kind == "softmax":
            return self._softmax(op, inputs)
        if op.kind == "lookup":
            partial = [self._lookup(op, place, *local) for place, *local in zip(self._places, *inputs, strict=True)]
        else:
            formula = _formula([program.tensors[name] for name in op.inputs], program.tensors[op.output])
            partial = [np.einsum(formula, *local) for local in zip(*inputs, strict=True)]
        return self._all_reduce(partial, program.reduced(op), np.add)

    def _lookup(self, op: Operation, place: Mapping[str, int], numbers: Array, other: Array) -> Array:
        table = self._program.tensors[op.output if op.output.startswith(GRADIENT) else op.inputs[1]]
        rows = self._slices(table, place)[0]
        mine = (numbers >= rows.start) & (numbers < rows.stop)
        local = np.where(mine, numbers - rows.start, 0).astype(np.intp)
        if op.output.startswith(GRADIENT):
            gradient = np.zeros((rows.stop - rows.start, *other.shape[numbers.ndim :]))
            np.add.at(gradient, local, other * mine[..., None])
            return gradient
        return np.asarray(other[local] * mine[..., None])

    def _softmax(self, op: Operation, inputs: Sequence[list[Array]]) -> list[Array]:
        axis = self._program.tensors[op.output].index(op.over)
        if op.output.startswith(GRADIENT):
            outputs, upstream = inputs
            products = [(y * dy).sum(axis) for y, dy in zip(outputs, upstream, strict=True)]
            sums = self._all_reduce(products, [op.over], np.add)
            return [y * (dy - np.expand_dims(s, axis)) for y, dy, s in zip(outputs, upstream, sums, strict=True)]
        largest = self._all_reduce([x.max(axis) for x in inputs[0]], [op.over], np.maximum)
        powers = [np.exp(x - np.expand_dims(m, axis)) for x, m in zip(inputs[0], largest, strict=True)]
        sums = self._all_reduce([p.sum(axis) for p in powers], [op.over], np.add)
        return [p / np.expand_dims(s, axis) for p, s in zip(powers, sums, strict=True)]

    def _rename(self, op: Operation, parts: list[Array]) -> list[Array]:
        before, after = self._program.tensors[op.inputs[0]], self._program.tensors[op.output]
        for at, (old, new) in enumerate(zip(before, after, strict=True)):
            source, target = self._layout.get(old), self._layout.get(new)
            if source == target:
                continue
            if source is not None:
                parts = self._all_gather(parts, source, at)
            if target is not None:
                slices = [self._slices([new], place)[0] for place in self._places]
                parts = [np.take(p, range(s.start, s.stop), at) for p, s in zip(parts, slices, strict=True)]
        return parts

    def _all_reduce(self, parts: list[Array], dims: Sequence[str], combine: Combine) -> list[Array]:
        axes = {self._layout[dim] for dim in dims if dim in self._layout}
        done = list(parts)
        for ring in self._rings(axes):
            reduced = ring_all_reduce([parts[i] for i in ring], combine)
            for i, value, sent in zip(ring, *reduced, strict=True):
                done[i] = value
                self.sent[i] += sent
        return done

    def _all_gather(self, parts: list[Array], axis: str, at: int) -> list[Array]:
        done = list(parts)
        for ring in self._rings({axis}):
            for i in ring:
                done[i] = np.concatenate([parts[j] for j in ring], at)
                self.sent[i] += parts[i].size * (len(ring) - 1)  # its own part, and those it passes on
        return done

    def _rings(self, axes: set[str]) -> Iterator[list[int]]:
        groups: dict[tuple[int, ...], list[int]] = {}
        for i, place in enumerate(self._places):
            groups.setdefault(tuple(v for k, v in place.items() if k not in axes), []).append(i)
        return iter(groups.values())


def ring_all_reduce(parts: Sequence[Array], combine: Combine) -> tuple[list[Array], list[int]]:
    """Combines equally shaped arrays on a ring: n - 1 steps of reduce-scatter and n - 1 of all-gather.

    Args:
        parts: one of each processor in the ring.
        combine: element-wise, such as `np.add`.

    Returns:
        The result as each processor holds it, and how many elements each one sent.
    """
    count = len(parts)
    chunks = [np.array_split(part.ravel(), count) for part in parts]
    sent = [0] * count
    for phase in range(2):
        for step in range(count - 1):
            messages = [(i, (i - step + phase) % count) for i in range(count)]
            payload = [chunks[i][chunk].copy() for i, chunk in messages]
            for (i, chunk), message in zip(messages, payload, strict=True):
                receiver = (i + 1) % count
                chunks[receiver][chunk] = message if phase else combine(chunks[receiver][chunk], message)
                sent[i] += message.size
    return [np.concatenate(own).reshape(parts[0].shape) for own in chunks], sent


def _relu(*local: Array) -> Array:
    if len(local) == 1:
        return np.maximum(local[0], 0.0)
    output, upstream = local
    return np.asarray(upstream * (output > 0))


def _formula(inputs: Sequence[Sequence[str]], output: Sequence[str]) -> str:
    letters = dict(zip(dict.fromkeys(itertools.chain(*inputs)), map(chr, range(97, 123)), strict=False))
    return ",".join("".join(letters[d] for d in dims) for dims in inputs) + "->" + "".join(letters[d] for d in output)
