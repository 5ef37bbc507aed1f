"""The architecture language: blocks are written once against `Net` and read in many ways.

A reading implements one method, `apply`: the workload records a kernel, the Keras reading makes a layer,
a picture draws a node. Shapes and weights come from the operation itself (`ops`).
"""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

from autoglyph.search_spaces import ops
from autoglyph.search_spaces.ops import ActivationKind, Op, PoolKind, Shape


@dataclass(frozen=True)
class Tensor:
    """A value in an architecture: its shape, and what the reading attaches to it.

    Attributes:
        shape: dimensions without the batch.
        value: the reading's own handle, such as a Keras tensor; blocks never look at it.
    """

    shape: Shape
    value: Any = None

    @property
    def channels(self) -> int:
        """Size of the last dimension."""
        return self.shape[-1]


class Net(abc.ABC):
    """The language in which blocks say what they compute.

    Every method returns the output as a `Tensor`; `name` is the operation's own name within the scope.
    """

    def __init__(self) -> None:
        self._scopes: list[str] = []

    @abc.abstractmethod
    def apply(self, op: Op, *inputs: Tensor) -> Tensor:
        """Reads one operation."""

    @contextlib.contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Prefixes the names of all operations inside."""
        self._scopes.append(name)
        try:
            yield
        finally:
            self._scopes.pop()

    def block(self, name: str, build: Callable[..., Tensor], x: Tensor, *settings: Hashable) -> Tensor:
        """A part that depends on the shape of its input and on hashable settings alone.

        Equal blocks compute the same, so a reading may reuse what it made of an earlier one. Their
        operations share the scope `name`.

        Args:
            name: scope of the block.
            build: (net, x, *settings) -> output; writes the block in the architecture language.
            x: its only input.
            *settings: numbers, strings and the like.
        """
        with self.scope(name):
            return build(self, x, *settings)

    def full_name(self, op: Op) -> str:
        """Scopes and name joined by '_'."""
        return "_".join([*self._scopes, op.name])

    def input(self, shape: Shape, *, name: str = "input") -> Tensor:
        """The place where data of this shape enters."""
        return self.apply(ops.Input(name=name, shape=shape))

    def conv(
        self,
        x: Tensor,
        filters: int,
        kernel: int,
        *,
        stride: int = 1,
        groups: int = 1,
        use_bias: bool = False,
        name: str = "conv",
    ) -> Tensor:
        """A 2-D convolution with SAME padding."""
        return self.apply(
            ops.Conv(
                name=name, filters=filters, kernel=kernel, stride=stride, groups=groups, use_bias=use_bias
            ),
            x,
        )

    def depthwise_conv(
        self, x: Tensor, kernel: int, *, stride: int = 1, name: str = "depthwise_conv"
    ) -> Tensor:
        """A convolution of every channel by itself, SAME padding, no bias."""
        return self.apply(ops.DepthwiseConv(name=name, kernel=kernel, stride=stride), x)

    def dense(self, x: Tensor, units: int, *, use_bias: bool = True, name: str = "dense") -> Tensor:
        """A matrix product over the last dimension."""
        return self.apply(ops.Dense(name=name, units=units, use_bias=use_bias), x)

    def norm(self, x: Tensor, *, name: str = "norm") -> Tensor:
        """Batch normalisation."""
        return self.apply(ops.BatchNorm(name=name), x)

    def activation(self, x: Tensor, kind: ActivationKind, *, name: str = "activation") -> Tensor:
        """An element-wise non-linearity."""
        return self.apply(ops.Activation(name=name, kind=kind), x)

    def dropout(self, x: Tensor, rate: float, *, per_example: bool = False, name: str = "dropout") -> Tensor:
        """Dropout; no operation at all when the rate is 0."""
        return self.apply(ops.Dropout(name=name, rate=rate, per_example=per_example), x) if rate else x

    def add(self, *inputs: Tensor, name: str = "add") -> Tensor:
        """Element-wise sum."""
        return self.apply(ops.Add(name=name), *inputs)

    def multiply(self, x: Tensor, factor: Tensor, *, name: str = "multiply") -> Tensor:
        """Element-wise product, the factor broadcast."""
        return self.apply(ops.Multiply(name=name), x, factor)

    def concat(self, *inputs: Tensor, name: str = "concat") -> Tensor:
        """Concatenation over channels."""
        return self.apply(ops.Concat(name=name), *inputs)

    def pool(self, x: Tensor, kind: PoolKind, size: int, *, stride: int = 1, name: str = "pool") -> Tensor:
        """Spatial pooling of square windows."""
        return self.apply(ops.Pool(name=name, kind=kind, size=size, stride=stride), x)

    def global_pool(
        self,
        x: Tensor,
        kind: PoolKind = "average",
        *,
        keep_dimensions: bool = False,
        name: str = "global_pool",
    ) -> Tensor:
        """Pooling over all positions."""
        return self.apply(ops.GlobalPool(name=name, kind=kind, keep_dimensions=keep_dimensions), x)
