"""What one operation asks of a chip: the kernel it would be if it ran alone.

Shapes, weights and multiply-adds come from the operation itself; here is only which unit does the work and
how the work is laid out as a matrix product. A new operation needs no rule: without one, an operation with
multiply-adds is one matrix product and any other is element-wise work of one step an output element.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

from autoglyph.search_spaces import ops, ops_sequence
from autoglyph.search_spaces.ops import Op, Shape

KINDS = ("vector", "matrix", "depthwise")
VECTOR, MATRIX, DEPTHWISE = range(len(KINDS))

KERNEL = np.dtype(
    [
        ("name", "O"),
        ("kind", "i8"),  # index in KINDS
        ("m", "i8"),  # rows of the matrix product for one example: output positions
        ("k", "i8"),  # length of the reduction
        ("n", "i8"),  # columns of one group: output channels of a group
        ("groups", "i8"),
        ("read_elements", "i8"),  # activations, for one example
        ("written_elements", "i8"),  # activations, for one example
        ("weight_elements", "i8"),
        ("vector_ops", "i8"),  # element-wise steps on n x groups channels, for one example
        ("input_vector_ops", "i8"),  # element-wise steps on what it reads, k channels, for one example
        ("madds", "i8"),  # for one example
        ("parameters", "i8"),  # trainable
        ("live_elements", "i8"),  # activations that must be kept while it runs, for one example
    ]
)

Role = Literal["identity", "compute", "norm", "elementwise", "add", "multiply", "concat", "pool", "alone"]

STEPS_BY_ACTIVATION: Mapping[str, int] = {
    "relu": 1,
    "relu6": 2,
    "leaky_relu": 2,
    "exponential": 1,
    "softsign": 3,
    "hard_sigmoid": 3,
    "hard_swish": 4,
    "sigmoid": 4,
    "tanh": 4,
    "elu": 4,
    "softplus": 4,
    "swish": 5,
    "selu": 5,
    "softmax": 5,
    "gelu": 8,
    "mish": 9,
}
"""Vector steps an element, an exponential or a division counted as one step of its own unit's pipeline.

Counted by hand on the usual expansions: sigmoid is negate, exponential, add, reciprocal. (own count)
"""

STEPS_OF_NORM = 2
STEPS_OF_MEASURED_NORM = 7
"""Where mean and variance come from the example: two sums, a square, a difference, three to apply. (own count)"""


class Work(NamedTuple):
    """The work of one operation on one example.

    Attributes:
        role: how it may join a neighbouring kernel.
        output: output shape.
        elements: of the output.
        kind: index in KINDS.
        m: output positions.
        k: length of the reduction, 0 for element-wise work.
        n: output channels of one group.
        groups: independent products.
        vector_ops: element-wise steps.
        madds: multiply-adds.
        parameters: trainable weight elements.
        weight_elements: all weight elements it reads.
    """

    role: Role
    output: Shape
    elements: int
    kind: int
    m: int
    k: int
    n: int
    groups: int
    vector_ops: int
    madds: int
    parameters: int
    weight_elements: int


class _Layout(NamedTuple):
    role: Role
    kind: int = VECTOR
    k: int = 0
    groups: int = 1
    steps: int = 0  # vector steps in all
    m: int | None = None  # other than the positions of the output
    n: int | None = None  # other than the channels of the output by groups


@functools.lru_cache(maxsize=1 << 17)
def work(op: Op, *inputs: Shape) -> Work:
    """The work of one operation on inputs of these shapes.

    Raises:
        ValueError: if the shapes do not fit the operation.
    """
    output = op.output(*inputs)
    weights = op.weights(*inputs)
    parameters = sum([math.prod(shape) for shape in weights.values()])
    kept = sum([math.prod(shape) for shape in op.statistics(*inputs).values()])
    elements = math.prod(output)
    layout = _layout(op, inputs, weights, elements)
    return Work(
        role=layout.role,
        output=output,
        elements=elements,
        kind=layout.kind,
        m=math.prod(output[:-1]) if layout.m is None else layout.m,
        k=layout.k,
        n=output[-1] // layout.groups if layout.n is None else layout.n,
        groups=layout.groups,
        vector_ops=layout.steps,
        madds=op.madds(*inputs),
        parameters=parameters,
        weight_elements=parameters + kept,
    )


Weights = Mapping[str, Shape]
Inputs = tuple[Shape, ...]


@functools.singledispatch
def _layout(op: Op, inputs: Inputs, weights: Weights, elements: int) -> _Layout:
    madds = op.madds(*inputs)
    if madds:
        return _Layout("compute", MATRIX, k=madds // elements)
    return _Layout("alone", steps=elements)


@_layout.register(ops.Input)
@_layout.register(ops.Dropout)
@_layout.register(ops.Reshape)
def _(op: Op, inputs: Inputs, weights: Weights, elements: int) -> _Layout:
    return _Layout("identity")


@_layout.register
def _(op: ops.Conv, inputs: Inputs, weights: Weights, elements: int) -> _Layout:
    *window, channels, _ = weights["kernel"]
    kind = DEPTHWISE if channels == 1 and op.groups > 1 else MATRIX
    return _Layout("compute", kind, k=math.prod(window) * channels, groups=op.groups)


@_layout.register
def _(op: ops.DepthwiseConv, inputs: Inputs, weights: Weights, elements: int) -> _Layout:
    *window, channels = weights["kernel"]
    return _Layout("compute", DEPTHWISE, k=math.prod(window), groups=channels)


@_layout.register
def _(op: ops.Dense, inputs: Inputs, weights: Weights, elements: int) -> _Layout:
    return _Layout("compute", MATRIX, k=weights["kernel"][0])


@_layout.register
def _(op: ops.BatchNorm, inputs: Inputs, weights: Weights, elements: int) -> _Layout:
    return _Layout("norm", steps=STEPS_OF_NORM * elements)


@_layout.register
def _(op: ops.Activation, inputs: Inputs, weights: Weights, elements: int) -> _Layout:
    role: Role = "alone" if op.kind == "softmax" else "elementwise"
    return _Layout(role, steps=STEPS_BY_ACTIVATION[op.kind] * elements)


@_layout.register
def _(op: ops.Add, inputs: Inputs, weights: Weights, elements: int) -> _Layout:
    return _Layout("add", steps=(len(inputs) - 1) * elements)


@_layout.register
def _(op: ops.Multiply, inputs: Inputs, weights: Weights, elements: int) -> _Layout:
    return _Layout("multiply", steps=elements)


@_layout.register(ops.Concat)
@_layout.register(ops.ZeroPad)
@_layout.register(ops.Crop)
def _(op: Op, inputs: Inputs, weights: Weights, elements: int) -> _Layout:
    return _Layout("concat")


@_layout.register
def _(op: ops.Pool, inputs: Inputs, weights: Weights, elements: int) -> _Layout:
    return _Layout("pool", steps=math.prod(ops.each(op.size, len(inputs[0]) - 1)) * elements)


@_layout.register
def _(op: ops.GlobalPool, inputs: Inputs, weights: Weights, elements: int) -> _Layout:
    return _Layout("pool", steps=math.prod(inputs[0]))


@_layout.register
def _(op: ops.TransposedConv, inputs: Inputs, weights: Weights, elements: int) -> _Layout:
    *window, filters, channels = weights["kernel"]
    positions, columns = math.prod(inputs[0][:-1]), math.prod(window) * filters
    return _Layout("compute", MATRIX, k=channels, m=positions, n=columns, steps=positions * columns)


@_layout.register
def _(op: ops.Attention, inputs: Inputs, weights: Weights, elements: int) -> _Layout:
    """Both products as one kernel: scores stay on the chip (Dao et al. 2022), softmax and scale are steps on them."""
    scores = inputs[0][0] * inputs[1][0] * op.heads
    steps = (STEPS_BY_ACTIVATION["softmax"] + 1) * scores
    return _Layout("compute", MATRIX, k=op.madds(*inputs) // elements, groups=op.heads, steps=steps)


@_layout.register(ops.LayerNorm)
@_layout.register(ops.GroupNorm)
def _(op: Op, inputs: Inputs, weights: Weights, elements: int) -> _Layout:
    return _Layout("alone", steps=STEPS_OF_MEASURED_NORM * elements)


@_layout.register
def _(op: ops.Scale, inputs: Inputs, weights: Weights, elements: int) -> _Layout:
    return _Layout("elementwise", steps=(1 + op.offset) * elements)


@_layout.register
def _(op: ops.Standardize, inputs: Inputs, weights: Weights, elements: int) -> _Layout:
    return _Layout("elementwise", steps=STEPS_OF_NORM * elements)


@_layout.register
def _(op: ops_sequence.LightweightConv, inputs: Inputs, weights: Weights, elements: int) -> _Layout:
    window, kernels = weights["kernel"]
    steps = STEPS_BY_ACTIVATION["softmax"] * window * kernels
    return _Layout("compute", DEPTHWISE, k=window, groups=inputs[0][-1], steps=steps)


@_layout.register
def _(op: ops_sequence.ScaleAndAddPositions, inputs: Inputs, weights: Weights, elements: int) -> _Layout:
    return _Layout("elementwise", steps=(1 + op.sinusoids) * elements)


@_layout.register
def _(op: ops_sequence.NonzeroMask, inputs: Inputs, weights: Weights, elements: int) -> _Layout:
    return _Layout("alone", steps=math.prod(inputs[0]), m=math.prod(inputs[0][:-1]), n=inputs[0][-1])


@_layout.register
def _(op: ops_sequence.PadChannels, inputs: Inputs, weights: Weights, elements: int) -> _Layout:
    return _Layout("concat")
