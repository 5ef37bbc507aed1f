"""Operations on elements and on the layout of arrays: norms, activations, sums and products, reshaping."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from autoglyph.search_spaces.ops_base import ActivationKind, Op, Shape


@dataclass(frozen=True, kw_only=True)
class _SameShape(Op):
    def output(self, *inputs: Shape) -> Shape:
        """The input shape."""
        return inputs[0]


@dataclass(frozen=True, kw_only=True)
class BatchNorm(_SameShape):
    """Batch normalisation over the last dimension."""

    epsilon: float = 1e-3
    momentum: float = 0.99
    scale: bool = True
    center: bool = True

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Scale and offset, as far as asked for."""
        return _scale_and_offset(inputs[0], self.scale, self.center)

    def statistics(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Moving mean and variance."""
        return {"moving_mean": inputs[0][-1:], "moving_variance": inputs[0][-1:]}


@dataclass(frozen=True, kw_only=True)
class LayerNorm(_SameShape):
    """Normalisation of each position over its channels (Ba et al. 2016)."""

    epsilon: float = 1e-6
    scale: bool = True
    center: bool = True

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Scale and offset, as far as asked for."""
        return _scale_and_offset(inputs[0], self.scale, self.center)


@dataclass(frozen=True, kw_only=True)
class GroupNorm(_SameShape):
    """Normalisation of groups of channels over all positions (Wu and He 2018)."""

    groups: int
    epsilon: float = 1e-3
    scale: bool = True
    center: bool = True

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Scale and offset, as far as asked for."""
        return _scale_and_offset(inputs[0], self.scale, self.center)


@dataclass(frozen=True, kw_only=True)
class Scale(_SameShape):
    """Element-wise product with a factor, and a sum where `offset` is set; learned a channel or constant."""

    learned: bool = False
    offset: bool = False

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Factor and, if asked for, offset, where they are learned."""
        return _scale_and_offset(inputs[0], self.learned, self.learned and self.offset)


@dataclass(frozen=True, kw_only=True)
class Standardize(_SameShape):
    """Takes the mean of the data from each channel and divides by their deviation, both kept, not learned."""

    def statistics(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Mean, variance and how many examples they come from."""
        return {"mean": inputs[0][-1:], "variance": inputs[0][-1:], "count": ()}


@dataclass(frozen=True, kw_only=True)
class Activation(_SameShape):
    """An element-wise non-linearity (softmax: over the last dimension)."""

    kind: ActivationKind


@dataclass(frozen=True, kw_only=True)
class Dropout(_SameShape):
    """Dropout in training, identity in inference; per example it is stochastic depth."""

    rate: float
    per_example: bool = False


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
    """Concatenation over the last dimension, or over `axis`, counted without the batch."""

    axis: int = -1

    def output(self, *inputs: Shape) -> Shape:
        """The common dimensions, and the sum of those over which the inputs are joined."""
        axis = self.axis % len(inputs[0])
        if any(s[:axis] + s[axis + 1 :] != inputs[0][:axis] + inputs[0][axis + 1 :] for s in inputs):
            raise ValueError(f"{self.name}: cannot concatenate shapes {inputs}.")
        return (*inputs[0][:axis], sum(shape[axis] for shape in inputs), *inputs[0][axis + 1 :])


@dataclass(frozen=True, kw_only=True)
class Reshape(Op):
    """The same elements in the same order under another shape; no work, for arrays are contiguous."""

    shape: Shape

    def output(self, *inputs: Shape) -> Shape:
        """The new shape."""
        if math.prod(self.shape) != math.prod(inputs[0]):
            raise ValueError(f"{self.name}: cannot reshape {inputs[0]} to {self.shape}.")
        return self.shape


@dataclass(frozen=True, kw_only=True)
class Permute(Op):
    """Other order of dimensions: dimension i of the output is dimension `order[i]` of the input, from 0."""

    order: tuple[int, ...]

    def output(self, *inputs: Shape) -> Shape:
        """The dimensions in their new order."""
        if sorted(self.order) != [*range(len(inputs[0]))]:
            raise ValueError(f"{self.name}: {self.order} is no order of the dimensions of {inputs[0]}.")
        return tuple(inputs[0][i] for i in self.order)


def _scale_and_offset(shape: Shape, scale: bool, offset: bool) -> dict[str, Shape]:
    return ({"gamma": shape[-1:]} if scale else {}) | ({"beta": shape[-1:]} if offset else {})
