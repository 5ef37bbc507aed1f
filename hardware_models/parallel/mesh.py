"""What a tensor program costs on a mesh of processors under a layout (Mesh-TensorFlow, Shazeer et al. 2018).

Every processor computes its part of each operation: total / product of the splits of the dimensions involved. If
a dimension that is summed over is split, the processors along that mesh dimension hold partial sums, and an
all-reduce of the local output follows. The same rule on the gradients gives the all-reduce of the weight
gradients in data parallelism, of the input gradients in model parallelism, and of both in their products.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autoglyph.hardware_models.device import Device
from autoglyph.hardware_models.parallel.link import Link, all_gather_bytes, all_reduce_bytes
from autoglyph.hardware_models.roofline import chip_of
from autoglyph.search_spaces.mesh_layouts import Layout, Mesh, check_layout, split_sizes
from autoglyph.search_spaces.mesh_program import GRADIENT, Operation, Program

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STATISTICS_OF_SOFTMAX = 2
"""All-reduces of a softmax over a split dimension: maximum and sum; its gradient needs one, of y dy."""

COPIES_OF_PARAMETERS = 2
"""Beside a weight: its gradient and one moment of the optimizer."""


@dataclass(frozen=True, eq=False)
class LayoutCosts:
    """Costs of many layouts of a program, for one processor of each; arrays of shape (n,).

    Attributes:
        madds: multiply-adds.
        compute_s: time of matrix units or memory, whichever is longer for each operation.
        communication_bytes: sent.
        communication_s: time of the collectives, which overlap with nothing.
        weight_bytes: weights, gradients and optimizer state.
        activation_bytes: what the forward operations put out, all kept for the backward pass.
        bytes_by_operation: (operations, n) sent.
    """

    madds: Floats
    compute_s: Floats
    communication_bytes: Floats
    communication_s: Floats
    weight_bytes: Floats
    activation_bytes: Floats
    bytes_by_operation: Floats

    @property
    def step_s(self) -> Floats:
        """Compute and communication one after the other."""
        return self.compute_s + self.communication_s

    @property
    def memory_bytes(self) -> Floats:
        """Weights with what belongs to them, and activations."""
        return self.weight_bytes + self.activation_bytes


@dataclass(frozen=True)
class LayoutCost:
    """Costs of one layout for one processor; the attributes are those of `LayoutCosts`.

    Attributes:
        bytes_by_operation: sent, by the name of the operation, those that send nothing left out.
    """

    madds: float
    compute_s: float
    communication_bytes: float
    communication_s: float
    weight_bytes: float
    activation_bytes: float
    step_s: float
    memory_bytes: float
    bytes_by_operation: dict[str, float]


def estimate_layout(
    program: Program,
    device: Device,
    mesh: Mesh,
    layout: Layout,
    *,
    link: Link | None = None,
    training: bool = True,
) -> LayoutCost:
    """What a program costs under one layout.

    Args:
        program: forward operations.
        device: one of the equal processors.
        mesh: sizes of the mesh dimensions by name.
        layout: mesh dimension by name of the tensor dimension.
        link: along every mesh dimension; None for the default one.
        training: whether the backward pass belongs to the step.

    Raises:
        ValueError: if the layout is illegal.
    """
    check_layout(program, mesh, layout)
    dims, names = list(program.sizes), list(mesh)
    axes = np.array([[names.index(layout[dim]) + 1 if dim in layout else 0 for dim in dims]], np.int64)
    sizes = np.array([list(mesh.values())], np.int64)
    costs = estimate_layouts(program, device, dims, axes, sizes, link=link, training=training)
    operations = _operations(program, training)
    sent = {op.name: float(b[0]) for op, b in zip(operations, costs.bytes_by_operation, strict=True) if b[0]}
    return LayoutCost(
        madds=float(costs.madds[0]),
        compute_s=float(costs.compute_s[0]),
        communication_bytes=float(costs.communication_bytes[0]),
        communication_s=float(costs.communication_s[0]),
        weight_bytes=float(costs.weight_bytes[0]),
        activation_bytes=float(costs.activation_bytes[0]),
        step_s=float(costs.step_s[0]),
        memory_bytes=float(costs.memory_bytes[0]),
        bytes_by_operation=sent,
    )


def estimate_layouts(
    program: Program,
    device: Device,
    dims: Sequence[str],
    axes: Ints,
    sizes: Ints,
    *,
    link: Link | None = None,
    training: bool = True,
) -> LayoutCosts:
    """What a program costs under many layouts at once, all taken to be legal.

    Args:
        program: forward operations.
        device: one of the equal processors.
        dims: names of the dimensions in the columns of `axes`; all others are whole.
        axes: (n, dims) mesh dimension of each, 0 for none, 1 for the first one.
        sizes: (n, mesh dimensions) of the meshes.
        link: along every mesh dimension; None for the default one.
        training: whether the backward pass belongs to the step.
    """
    wire, chip = link or Link(), chip_of(device)
    element = device.element_bytes
    full = program.with_gradients() if training else program
    view = _Layouts(full, dims, axes, sizes)
    macs_per_s = float(chip.clock_hz) * float(chip.engines) * float(chip.macs_per_cycle)
    zeros = np.zeros(len(axes))
    madds, compute_s, communication_s, activations = zeros.copy(), zeros.copy(), zeros.copy(), zeros.copy()
    sent: list[Floats] = []
    for op in full.operations:
        own_madds = view.elements(full.dims((*op.inputs, op.output))) if op.kind == "einsum" else zeros
        moved = sum((view.elements(full.tensors[name]) for name in (*op.inputs, op.output)), zeros)
        memory_s = moved * element / float(chip.off_chip_bytes_per_s)
        madds += op.repeats * own_madds
        if op.kind != "rename":
            compute_s += op.repeats * np.maximum(own_madds / macs_per_s, memory_s)
        own_bytes, own_s = _communication(op, full, view, element, wire)
        sent.append(op.repeats * own_bytes)
        communication_s += op.repeats * own_s
        if not op.output.startswith(GRADIENT):
            activations += op.repeats * view.elements(full.tensors[op.output])
    repeats = {name: op.repeats for op in program.operations for name in op.inputs}
    weights = sum((repeats.get(w, 1) * view.elements(full.tensors[w]) for w in sorted(full.weights)), zeros)
    by_operation = np.array(sent)
    return LayoutCosts(
        madds=madds,
        compute_s=compute_s,
        communication_bytes=by_operation.sum(0),
        communication_s=communication_s,
        weight_bytes=weights * element * (1 + COPIES_OF_PARAMETERS * training),
        activation_bytes=activations * element,
        bytes_by_operation=by_operation,
    )


class _Layouts:
    """Sizes of local tensors and of groups of processors under many layouts."""

    def __init__(self, program: Program, dims: Sequence[str], axes: Ints, sizes: Ints) -> None:
        self._sizes = program.sizes
        self._column = {dim: i for i, dim in enumerate(dims)}
        self._splits = split_sizes(axes, sizes).astype(np.float64)
        self._axes = axes

    def elements(self, dims: Iterable[str]) -> Floats:
        """(n,) elements of a tensor of these dimensions on one processor."""
        names = list(dims)
        return math.prod(self._sizes[dim] for dim in names) / self.parts(names)

    def parts(self, dims: Iterable[str]) -> Floats:
        """(n,) in how many parts these dimensions are split, all together."""
        columns = [self._column[dim] for dim in dims if dim in self._column]
        return np.asarray(self._splits[:, columns].prod(1), np.float64)

    def same_axis(self, first: str, second: str) -> NDArray[np.bool_]:
        """(n,) whether two dimensions lie on the same mesh dimension, or both on none."""
        return np.asarray(self._axis(first) == self._axis(second))

    def _axis(self, dim: str) -> Ints:
        if dim in self._column:
            return self._axes[:, self._column[dim]]
        return np.zeros(len(self._axes), np.int64)


def _communication(op: Operation, program: Program, view: _Layouts, element: int, link: Link) -> tuple[Floats, Floats]:
    """Bytes that one processor sends for one run of an operation, and their time."""
    output = program.tensors[op.output]
    size = view.elements(output) * element
    if op.kind == "relu":
        return np.zeros_like(size), np.zeros_like(size)
    if op.kind == "rename":
        changed = [pair for pair in zip(program.tensors[op.inputs[0]], output, strict=True) if pair[0] != pair[1]]
        sent, steps = np.zeros_like(size), np.zeros_like(size)
        for before, after in changed:
            count = np.where(view.same_axis(before, after), 1.0, view.parts([before]))
            sent += all_gather_bytes(size * view.parts([after]), count)
            steps += count - 1
        return sent, link.transfer_s(sent, steps)
    if op.kind == "softmax":
        count = view.parts([op.over])
        statistics = 1 if op.output.startswith(GRADIENT) else STATISTICS_OF_SOFTMAX
        rest = view.elements([dim for dim in output if dim != op.over]) * element
        sent = statistics * all_reduce_bytes(rest, count)
        return sent, link.transfer_s(sent, 2 * statistics * (count - 1))
    count = view.parts(program.reduced(op))
    sent = all_reduce_bytes(size, count)
    return sent, link.transfer_s(sent, 2 * (count - 1))


def _operations(program: Program, training: bool) -> tuple[Operation, ...]:
    return (program.with_gradients() if training else program).operations
