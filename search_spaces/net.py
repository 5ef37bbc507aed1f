"""The architecture language: blocks are written once against `Net` and read in many ways.

A reading implements one method, `apply`: the workload records a kernel, the Keras reading makes a layer,
a picture draws a node. Shapes and weights come from the operation itself (`ops`).
"""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any, TypeGuard, overload

from autoglyph.search_spaces import ops
from autoglyph.search_spaces.ops import ActivationKind, Op, Padding, PoolKind, Shape, Sizes


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


Tensors = Tensor | tuple[Tensor, ...]
"""What a part of a network takes and returns: one value or several, such as the levels of a feature pyramid."""
Shapes = Shape | tuple[Shape, ...]


def is_one(shapes: Shapes) -> TypeGuard[Shape]:
    """Whether these are the dimensions of one tensor, not the shapes of several."""
    return not shapes or isinstance(shapes[0], int)


def shapes_of(tensors: Tensors) -> Shapes:
    """The shape of one tensor, the shapes of several."""
    return tensors.shape if isinstance(tensors, Tensor) else tuple(x.shape for x in tensors)


def several(tensors: Tensors) -> tuple[Tensor, ...]:
    """The tensors as a tuple, one alone or several."""
    return (tensors,) if isinstance(tensors, Tensor) else tensors


def the_one(tensors: Tensors) -> Tensor:
    """The only tensor.

    Raises:
        ValueError: if there are several.
    """
    if isinstance(tensors, Tensor):
        return tensors
    raise ValueError(f"Expected a network of one output, received one of {len(tensors)}.")


@dataclass(frozen=True)
class Mixture:
    """Stands in an architecture for a decision of which a reading takes in all candidates.

    Attributes:
        decision: name of the decision, such as "edges[2]".
        candidates: its values.
    """

    decision: str
    candidates: tuple[Hashable, ...]


class Net(abc.ABC):
    """The language in which blocks say what they compute.

    Every method returns the output as a `Tensor`; `name` is the operation's own name within the scope.
    """

    def __init__(self) -> None:
        self._scopes: list[str] = []
        self._is_shared = False

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

    @contextlib.contextmanager
    def shared(self, name: str) -> Iterator[None]:
        """A scope in which operations of one name have the same weights, each time they are applied.

        Their parameters count once, their multiply-adds at every use. Convolutions and dense layers can be
        shared, within one segment and outside of blocks.

        Example: one convolution for all levels of a pyramid.

            with net.shared("head"):
                x = [net.conv(level, 256, 3, name="conv1") for level in levels]
        """
        before, self._is_shared = self._is_shared, True
        try:
            with self.scope(name):
                yield
        finally:
            self._is_shared = before

    @overload
    def block(self, name: str, build: Callable[..., Tensor], x: Tensor, *settings: Hashable) -> Tensor: ...

    @overload
    def block(
        self, name: str, build: Callable[..., tuple[Tensor, ...]], x: tuple[Tensor, ...], *settings: Hashable
    ) -> tuple[Tensor, ...]: ...

    def block(self, name: str, build: Callable[..., Tensors], x: Tensors, *settings: Hashable) -> Tensors:
        """A part that depends on the shapes of its input and on hashable settings alone.

        Equal blocks compute the same, so a reading may reuse what it made of an earlier one. Their
        operations share the scope `name`.

        Args:
            name: scope of the block.
            build: (net, x, *settings) -> output; writes the block in the architecture language.
            x: its only input, one tensor or a tuple of them; the output is the same kind.
            *settings: numbers, strings and the like.

        Raises:
            ValueError: within `shared`, whose weights would be those of one block alone.
        """
        self._refuse_shared(name)
        with self.scope(name):
            return build(self, x, *settings)

    def choose(
        self, name: str, build: Callable[..., Tensor | None], x: Tensor, choice: Hashable, *settings: Hashable
    ) -> Tensor | None:
        """A part whose kind is a decision; its operations share the scope `name`.

        A reading of one individual builds what was chosen. One that mixes individuals is given a `Mixture`.

        Args:
            name: scope of the part.
            build: (net, x, choice, *settings) -> output, of the shape of x for every choice; None where nothing
                comes out.
            x: its only input.
            choice: what was decided.
            *settings: what else the part depends on.
        """
        with self.scope(name):
            return build(self, x, choice, *settings)

    def _refuse_shared(self, name: str) -> None:
        if self._is_shared:
            raise ValueError(f"The block {name} stands among shared weights: write its operations without a block.")

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
        kernel: Sizes,
        *,
        stride: Sizes = 1,
        groups: int = 1,
        use_bias: bool = False,
        padding: Padding = "same",
        dilation: Sizes = 1,
        name: str = "conv",
    ) -> Tensor:
        """A convolution over all dimensions but the last: 1-D on sequences, 2-D on images."""
        op = ops.Conv(
            name=name,
            filters=filters,
            kernel=kernel,
            stride=stride,
            groups=groups,
            use_bias=use_bias,
            padding=padding,
            dilation=dilation,
        )
        return self.apply(op, x)

    def depthwise_conv(
        self,
        x: Tensor,
        kernel: Sizes,
        *,
        stride: Sizes = 1,
        use_bias: bool = False,
        padding: Padding = "same",
        name: str = "depthwise_conv",
    ) -> Tensor:
        """A convolution of every channel by itself: 1-D on sequences, 2-D on images.

        On sequences "causal" padding is a `zero_pad` before and "valid" here: Keras has no layer of it.
        """
        op = ops.DepthwiseConv(name=name, kernel=kernel, stride=stride, use_bias=use_bias, padding=padding)
        return self.apply(op, x)

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

    def pool(
        self,
        x: Tensor,
        kind: PoolKind,
        size: Sizes,
        *,
        stride: Sizes = 1,
        padding: Padding = "same",
        name: str = "pool",
    ) -> Tensor:
        """Pooling of windows over all dimensions but the last."""
        return self.apply(ops.Pool(name=name, kind=kind, size=size, stride=stride, padding=padding), x)

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

    def layer_norm(self, x: Tensor, *, epsilon: float = 1e-6, name: str = "layer_norm") -> Tensor:
        """Normalisation of each position over its channels, with scale and offset."""
        return self.apply(ops.LayerNorm(name=name, epsilon=epsilon), x)

    def embedding(self, x: Tensor, vocabulary: int, size: int, *, name: str = "embedding") -> Tensor:
        """A row of a learned table for every whole number: (length,) -> (length, size)."""
        return self.apply(ops.Embedding(name=name, vocabulary=vocabulary, size=size), x)

    def attention(
        self,
        queries: Tensor,
        keys: Tensor,
        values: Tensor,
        heads: int,
        *,
        causal: bool = False,
        name: str = "attention",
    ) -> Tensor:
        """Scaled dot-product attention of several heads, without projections, as one operation."""
        return self.apply(ops.Attention(name=name, heads=heads, causal=causal), queries, keys, values)

    def multi_head_attention(
        self,
        queries: Tensor,
        context: Tensor,
        heads: int,
        key_size: int,
        *,
        causal: bool = False,
        use_bias: bool = True,
        name: str = "attention",
    ) -> Tensor:
        """Multi-head attention with its four projections (Vaswani et al. 2017, section 3.2.2).

        Args:
            queries: (length, channels).
            context: (other length, any channels), the source of keys and values; `queries` for self-attention.
            heads: how many.
            key_size: channels of a head, in keys and values.
            causal: whether a position sees only itself and those before it.
            use_bias: of the projections.
            name: scope of the five operations.

        Returns:
            (length, channels of the queries).
        """
        with self.scope(name):
            q = self.dense(queries, heads * key_size, use_bias=use_bias, name="query")
            k = self.dense(context, heads * key_size, use_bias=use_bias, name="key")
            v = self.dense(context, heads * key_size, use_bias=use_bias, name="value")
            attended = self.attention(q, k, v, heads, causal=causal, name="scores")
            return self.dense(attended, queries.channels, use_bias=use_bias, name="output")

    def matmul(self, x: Tensor, other: Tensor, *, name: str = "matmul") -> Tensor:
        """Product of two values, (..., rows, reduction) by (..., reduction, columns)."""
        return self.apply(ops.MatMul(name=name), x, other)

    def reshape(self, x: Tensor, shape: Shape, *, name: str = "reshape") -> Tensor:
        """The same elements in the same order under another shape."""
        return self.apply(ops.Reshape(name=name, shape=shape), x)

    def permute(self, x: Tensor, order: tuple[int, ...], *, name: str = "permute") -> Tensor:
        """Other order of dimensions, counted from 0 without the batch."""
        return self.apply(ops.Permute(name=name, order=order), x)

    def zero_pad(self, x: Tensor, *amounts: tuple[int, int], name: str = "zero_pad") -> Tensor:
        """Zeros around the positions: (before, after) for each dimension but the last."""
        return self.apply(ops.ZeroPad(name=name, amounts=amounts), x)

    def crop(self, x: Tensor, *amounts: tuple[int, int], name: str = "crop") -> Tensor:
        """Takes positions away: (before, after) for each dimension but the last."""
        return self.apply(ops.Crop(name=name, amounts=amounts), x)

    def upsample(self, x: Tensor, factor: Sizes, *, name: str = "upsample") -> Tensor:
        """Nearest-neighbour enlargement by whole factors."""
        return self.apply(ops.Upsample(name=name, factor=factor), x)
