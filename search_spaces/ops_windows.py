"""Operations that slide a window: convolutions, pooling, and what pads, crops and enlarges for them.

They work on any number of spatial dimensions: (length, channels) is a sequence, (height, width, channels) an
image. Padding is TensorFlow's: "same" gives ceil(size / stride), more zeros behind than before where they are
odd; "valid" adds none; "causal" puts all zeros of "same" before a sequence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from autoglyph.search_spaces.ops_base import Op, Padding, PoolKind, Shape, Sizes


@dataclass(frozen=True, kw_only=True)
class Conv(Op):
    """A convolution, kernel (*window, in / groups, filters)."""

    filters: int
    kernel: Sizes
    stride: Sizes = 1
    groups: int = 1
    use_bias: bool = False
    padding: Padding = "same"
    dilation: Sizes = 1

    def output(self, *inputs: Shape) -> Shape:
        """(*positions, filters)."""
        *sizes, channels = _spatial(self, inputs)
        if channels % self.groups or self.filters % self.groups:
            raise ValueError(
                f"{self.name}: {channels} -> {self.filters} channels do not split in {self.groups} groups."
            )
        return (*_windows(self.name, sizes, self.kernel, self.stride, self.padding, self.dilation), self.filters)

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Kernel and, if asked for, bias."""
        shape = inputs[0]
        kernel = {"kernel": (*each(self.kernel, len(shape) - 1), shape[-1] // self.groups, self.filters)}
        return kernel | ({"bias": (self.filters,)} if self.use_bias else {})

    def madds(self, *inputs: Shape) -> int:
        """Output positions times kernel size."""
        return math.prod(self.output(*inputs)[:-1]) * math.prod(self.weights(*inputs)["kernel"])


@dataclass(frozen=True, kw_only=True)
class DepthwiseConv(Op):
    """A convolution of every channel by itself, kernel (*window, channels x multiplier)."""

    kernel: Sizes
    stride: Sizes = 1
    multiplier: int = 1
    use_bias: bool = False
    padding: Padding = "same"
    dilation: Sizes = 1

    def output(self, *inputs: Shape) -> Shape:
        """(*positions, channels x multiplier)."""
        *sizes, channels = _spatial(self, inputs)
        positions = _windows(self.name, sizes, self.kernel, self.stride, self.padding, self.dilation)
        return (*positions, channels * self.multiplier)

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Kernel and, if asked for, bias."""
        channels = inputs[0][-1] * self.multiplier
        kernel: dict[str, Shape] = {"kernel": (*each(self.kernel, len(inputs[0]) - 1), channels)}
        return kernel | ({"bias": (channels,)} if self.use_bias else {})

    def madds(self, *inputs: Shape) -> int:
        """Output positions times kernel size."""
        return math.prod(self.output(*inputs)[:-1]) * math.prod(self.weights(*inputs)["kernel"])


@dataclass(frozen=True, kw_only=True)
class TransposedConv(Op):
    """The transpose of a convolution: every input position adds a window to the output.

    Kernel (*window, filters, in). "same" gives size x stride, "valid" what the windows reach.
    """

    filters: int
    kernel: Sizes
    stride: Sizes = 1
    use_bias: bool = False
    padding: Padding = "same"

    def output(self, *inputs: Shape) -> Shape:
        """(*positions, filters)."""
        *sizes, _ = _spatial(self, inputs)
        windows, strides = each(self.kernel, len(sizes)), each(self.stride, len(sizes))
        beyond = [max(w - s, 0) if self.padding == "valid" else 0 for w, s in zip(windows, strides, strict=True)]
        positions = [n * s + more for n, s, more in zip(sizes, strides, beyond, strict=True)]
        return (*positions, self.filters)

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Kernel and, if asked for, bias."""
        kernel: dict[str, Shape] = {"kernel": (*each(self.kernel, len(inputs[0]) - 1), self.filters, inputs[0][-1])}
        return kernel | ({"bias": (self.filters,)} if self.use_bias else {})

    def madds(self, *inputs: Shape) -> int:
        """Input positions times kernel size."""
        return math.prod(inputs[0][:-1]) * math.prod(self.weights(*inputs)["kernel"])


@dataclass(frozen=True, kw_only=True)
class Pool(Op):
    """Pooling of windows."""

    kind: PoolKind
    size: Sizes
    stride: Sizes
    padding: Padding = "same"

    def output(self, *inputs: Shape) -> Shape:
        """(*positions, channels)."""
        *sizes, channels = _spatial(self, inputs)
        return (*_windows(self.name, sizes, self.size, self.stride, self.padding, 1), channels)


@dataclass(frozen=True, kw_only=True)
class GlobalPool(Op):
    """Pooling over all positions, to (channels,) or, kept, to (1, ..., channels)."""

    kind: PoolKind
    keep_dimensions: bool = False

    def output(self, *inputs: Shape) -> Shape:
        """One value a channel."""
        *sizes, channels = _spatial(self, inputs)
        return (*(1 for _ in sizes), channels) if self.keep_dimensions else (channels,)


@dataclass(frozen=True, kw_only=True)
class ZeroPad(Op):
    """Zeros around the positions: (before, after) for each spatial dimension."""

    amounts: tuple[tuple[int, int], ...]

    def output(self, *inputs: Shape) -> Shape:
        """(*positions, channels)."""
        *sizes, channels = _spatial(self, inputs, len(self.amounts))
        return (*(n + a + b for n, (a, b) in zip(sizes, self.amounts, strict=True)), channels)


@dataclass(frozen=True, kw_only=True)
class Crop(Op):
    """Takes positions away: (before, after) for each spatial dimension."""

    amounts: tuple[tuple[int, int], ...]

    def output(self, *inputs: Shape) -> Shape:
        """(*positions, channels)."""
        *sizes, channels = _spatial(self, inputs, len(self.amounts))
        left = [n - a - b for n, (a, b) in zip(sizes, self.amounts, strict=True)]
        if min(left) < 1:
            raise ValueError(f"{self.name}: nothing is left of {inputs[0]} behind a crop of {self.amounts}.")
        return (*left, channels)


@dataclass(frozen=True, kw_only=True)
class Upsample(Op):
    """Repeats every position: nearest-neighbour enlargement by whole factors."""

    factor: Sizes

    def output(self, *inputs: Shape) -> Shape:
        """(*positions, channels)."""
        *sizes, channels = _spatial(self, inputs)
        return (*(n * f for n, f in zip(sizes, each(self.factor, len(sizes)), strict=True)), channels)


def each(sizes: Sizes, dimensions: int) -> tuple[int, ...]:
    """One number for each spatial dimension.

    Raises:
        ValueError: if there are numbers for another count of dimensions.
    """
    if isinstance(sizes, int):
        return (sizes,) * dimensions
    if len(sizes) != dimensions:
        raise ValueError(f"Expected {dimensions} sizes, one for each spatial dimension, received {sizes}.")
    return sizes


def _spatial(op: Op, inputs: tuple[Shape, ...], dimensions: int | None = None) -> Shape:
    wanted = dimensions if dimensions is not None else max(len(inputs[0]) - 1, 1)
    if len(inputs) != 1 or len(inputs[0]) != wanted + 1:
        raise ValueError(f"{op.name}: expected one (*positions, channels) input, received {inputs}.")
    return inputs[0]


def _windows(name: str, sizes: list[int], window: Sizes, stride: Sizes, padding: Padding, dilation: Sizes) -> list[int]:
    if padding != "valid" and isinstance(stride, int):
        return [-(-size // stride) for size in sizes]
    dimensions = len(sizes)
    windows, strides, dilations = each(window, dimensions), each(stride, dimensions), each(dilation, dimensions)
    if padding == "valid":
        sizes = [n - d * (w - 1) for n, w, d in zip(sizes, windows, dilations, strict=True)]
        if min(sizes) < 1:
            raise ValueError(f"{name}: a window of {windows} does not fit in its input; make the input larger.")
    return [-(-size // s) for size, s in zip(sizes, strides, strict=True)]
