"""Operations that are matrix products, and the tables that feed them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from autoglyph.search_spaces.ops_base import Op, Shape


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
class MatMul(Op):
    """The product of two values, (..., rows, reduction) by (..., reduction, columns), batch dimensions equal."""

    def output(self, *inputs: Shape) -> Shape:
        """(..., rows, columns)."""
        first, second = inputs
        if len(first) < 2 or first[:-2] != second[:-2] or first[-1] != second[-2]:
            raise ValueError(f"{self.name}: cannot multiply matrices of shapes {inputs}.")
        return (*first[:-1], second[-1])

    def madds(self, *inputs: Shape) -> int:
        """Elements of the output times the reduction."""
        return math.prod(self.output(*inputs)) * inputs[0][-1]


@dataclass(frozen=True, kw_only=True)
class Attention(Op):
    """Scaled dot-product attention of several heads (Vaswani et al. 2017, equation 1), without projections.

    Inputs are queries (length, heads x key size), keys (other length, heads x key size) and values
    (other length, heads x value size). All pairs of positions count as multiply-adds, also where a causal mask
    hides half of them, as published counts have it.
    """

    heads: int
    causal: bool = False

    def output(self, *inputs: Shape) -> Shape:
        """(length, heads x value size)."""
        if len(inputs) != 3 or any(len(shape) != 2 for shape in inputs):
            raise ValueError(f"{self.name}: expected queries, keys and values (length, channels), received {inputs}.")
        queries, keys, values = inputs
        if queries[1] != keys[1] or keys[0] != values[0]:
            raise ValueError(f"{self.name}: queries, keys and values of shapes {inputs} do not fit together.")
        if queries[1] % self.heads or values[1] % self.heads:
            raise ValueError(f"{self.name}: channels of {inputs} do not split in {self.heads} heads.")
        return queries[0], values[1]

    def madds(self, *inputs: Shape) -> int:
        """Products of queries with keys, and of the scores with values."""
        queries, keys, values = inputs
        return queries[0] * keys[0] * (queries[1] + values[1])


@dataclass(frozen=True, kw_only=True)
class Embedding(Op):
    """A row of a table for every whole number of the input."""

    vocabulary: int
    size: int

    def output(self, *inputs: Shape) -> Shape:
        """The input with a last dimension added."""
        return (*inputs[0], self.size)

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """The table (vocabulary, size)."""
        return {"embeddings": (self.vocabulary, self.size)}
