"""The operations of the architecture language: what each one computes, in shapes.

Every shape formula of the project is here, once. A reading of an architecture (workload, Keras model,
picture) asks the operation for its output shape and its weights and never derives them again.
Shapes leave out the batch: (height, width, channels) for images, (length, channels) for sequences,
(channels,) for vectors. Padding is TensorFlow's SAME.
"""

from __future__ import annotations

import abc
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Shape = tuple[int, ...]
ActivationKind = Literal["relu", "swish", "sigmoid", "gelu", "tanh", "hard_swish", "softmax"]
PoolKind = Literal["max", "average"]


@dataclass(frozen=True, kw_only=True)
class Op(abc.ABC):
    """One operation.

    Attributes:
        name: its own name; the reading prefixes the scope.
    """

    name: str

    @abc.abstractmethod
    def output(self, *inputs: Shape) -> Shape:
        """Output shape for these input shapes; ValueError if they do not fit."""

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Trainable weights by name."""
        return {}

    def statistics(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Weights that are kept but not trained, such as moving averages."""
        return {}

    def madds(self, *inputs: Shape) -> int:
        """Multiply-adds for one example, of convolutions and matrix products only."""
        return 0


@dataclass(frozen=True, kw_only=True)
class Input(Op):
    """The place where data enters."""

    shape: Shape

    def output(self, *inputs: Shape) -> Shape:
        """The given shape."""
        return self.shape


@dataclass(frozen=True, kw_only=True)
class Conv(Op):
    """A 2-D convolution, kernel (height, width, in / groups, filters)."""

    filters: int
    kernel: int
    stride: int = 1
    groups: int = 1
    use_bias: bool = False

    def output(self, *inputs: Shape) -> Shape:
        """(ceil(H / stride), ceil(W / stride), filters)."""
        height, width, channels = _image(self, inputs)
        if channels % self.groups or self.filters % self.groups:
            raise ValueError(
                f"{self.name}: {channels} -> {self.filters} channels do not split in {self.groups} groups."
            )
        return _strided(height, self.stride), _strided(width, self.stride), self.filters

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Kernel and, if asked for, bias."""
        kernel = {"kernel": (self.kernel, self.kernel, inputs[0][-1] // self.groups, self.filters)}
        return kernel | ({"bias": (self.filters,)} if self.use_bias else {})

    def madds(self, *inputs: Shape) -> int:
        """Output pixels times kernel size."""
        height, width, _ = self.output(*inputs)
        return height * width * math.prod(self.weights(*inputs)["kernel"])


@dataclass(frozen=True, kw_only=True)
class DepthwiseConv(Op):
    """A 2-D convolution of every channel by itself, kernel (height, width, channels)."""

    kernel: int
    stride: int = 1

    def output(self, *inputs: Shape) -> Shape:
        """(ceil(H / stride), ceil(W / stride), channels)."""
        height, width, channels = _image(self, inputs)
        return _strided(height, self.stride), _strided(width, self.stride), channels

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """The kernel."""
        return {"kernel": (self.kernel, self.kernel, inputs[0][-1])}

    def madds(self, *inputs: Shape) -> int:
        """Output pixels times kernel size."""
        height, width, _ = self.output(*inputs)
        return height * width * math.prod(self.weights(*inputs)["kernel"])


@dataclass(frozen=True, kw_only=True)
class Dense(Op):
    """A matrix product over the last dimension."""

    units: int
    use_bias: bool = True

    def output(self, *inputs: Shape) -> Shape:
        """The input with its last dimension replaced."""
        return (*inputs[0][:-1], self.units)

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Kernel (in, units) and, if asked for, bias."""
        kernel: dict[str, Shape] = {"kernel": (inputs[0][-1], self.units)}
        return kernel | ({"bias": (self.units,)} if self.use_bias else {})

    def madds(self, *inputs: Shape) -> int:
        """Positions times kernel size."""
        return math.prod(inputs[0][:-1]) * inputs[0][-1] * self.units


@dataclass(frozen=True, kw_only=True)
class BatchNorm(Op):
    """Batch normalisation over the last dimension."""

    epsilon: float = 1e-3
    momentum: float = 0.99

    def output(self, *inputs: Shape) -> Shape:
        """The input shape."""
        return inputs[0]

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Scale and offset."""
        return {"gamma": inputs[0][-1:], "beta": inputs[0][-1:]}

    def statistics(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Moving mean and variance."""
        return {"moving_mean": inputs[0][-1:], "moving_variance": inputs[0][-1:]}


@dataclass(frozen=True, kw_only=True)
class Activation(Op):
    """An element-wise non-linearity (softmax: over the last dimension)."""

    kind: ActivationKind

    def output(self, *inputs: Shape) -> Shape:
        """The input shape."""
        return inputs[0]


@dataclass(frozen=True, kw_only=True)
class Dropout(Op):
    """Dropout in training, identity in inference; per example it is stochastic depth."""

    rate: float
    per_example: bool = False

    def output(self, *inputs: Shape) -> Shape:
        """The input shape."""
        return inputs[0]


@dataclass(frozen=True, kw_only=True)
class Add(Op):
    """Element-wise sum of equal shapes."""

    def output(self, *inputs: Shape) -> Shape:
        """The common shape."""
        if any(shape != inputs[0] for shape in inputs):
            raise ValueError(f"{self.name}: cannot add shapes {inputs}.")
        return inputs[0]


@dataclass(frozen=True, kw_only=True)
class Multiply(Op):
    """Element-wise product; the second factor may be 1 where the first is not."""

    def output(self, *inputs: Shape) -> Shape:
        """The shape of the first factor."""
        first, second = inputs
        if len(first) != len(second) or any(b not in (a, 1) for a, b in zip(first, second, strict=True)):
            raise ValueError(f"{self.name}: cannot multiply shapes {inputs}.")
        return first


@dataclass(frozen=True, kw_only=True)
class Concat(Op):
    """Concatenation over the last dimension."""

    def output(self, *inputs: Shape) -> Shape:
        """The common leading dimensions and the sum of the last ones."""
        if any(shape[:-1] != inputs[0][:-1] for shape in inputs):
            raise ValueError(f"{self.name}: cannot concatenate shapes {inputs}.")
        return (*inputs[0][:-1], sum(shape[-1] for shape in inputs))


@dataclass(frozen=True, kw_only=True)
class Pool(Op):
    """Spatial pooling of square windows."""

    kind: PoolKind
    size: int
    stride: int

    def output(self, *inputs: Shape) -> Shape:
        """(ceil(H / stride), ceil(W / stride), channels)."""
        height, width, channels = _image(self, inputs)
        return _strided(height, self.stride), _strided(width, self.stride), channels


@dataclass(frozen=True, kw_only=True)
class GlobalPool(Op):
    """Pooling over all positions, to (channels,) or, kept, to (1, 1, channels)."""

    kind: PoolKind
    keep_dimensions: bool = False

    def output(self, *inputs: Shape) -> Shape:
        """One value a channel."""
        height, width, channels = _image(self, inputs)
        return (1, 1, channels) if self.keep_dimensions else (channels,)


def _image(op: Op, inputs: tuple[Shape, ...]) -> tuple[int, int, int]:
    if len(inputs) != 1 or len(inputs[0]) != 3:
        raise ValueError(f"{op.name}: expected one (height, width, channels) input, received {inputs}.")
    height, width, channels = inputs[0]
    return height, width, channels


def _strided(size: int, stride: int) -> int:
    return -(-size // stride)
