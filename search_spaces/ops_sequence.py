"""Operations on sequences of tokens: shared embeddings, positions, masks, attention, lightweight convolution.

Shapes are (length, channels), tokens (length,). A mask is (length, 1), 1 where there is a token and 0 at padding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autoglyph.search_spaces.ops_base import Input, Op, Padding, Shape
from autoglyph.search_spaces.ops_products import Attention
from autoglyph.search_spaces.ops_windows import DepthwiseConv


@dataclass(frozen=True, kw_only=True)
class TokenInput(Input):
    """The place where whole numbers enter; 0 is padding."""


@dataclass(frozen=True, kw_only=True)
class TokenEmbedding(Op):
    """A row of a shared table for every token.

    The weights of the table count where the whole of it is read: at its `TiedLogits`.

    Attributes:
        table: name of the table; operations of the same table in one network share it.
        vocabulary: rows of the table.
        size: columns of the table.
    """

    table: str
    vocabulary: int
    size: int

    def output(self, *inputs: Shape) -> Shape:
        """(length, size)."""
        return (*inputs[0], self.size)


@dataclass(frozen=True, kw_only=True)
class TiedLogits(Op):
    """Product with the transpose of a table of embeddings (Press and Wolf 2017)."""

    table: str
    vocabulary: int

    def output(self, *inputs: Shape) -> Shape:
        """(length, vocabulary)."""
        return (*inputs[0][:-1], self.vocabulary)

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """The table (vocabulary, channels)."""
        return {"embeddings": (self.vocabulary, inputs[0][-1])}

    def madds(self, *inputs: Shape) -> int:
        """Positions times the size of the table."""
        return inputs[0][0] * inputs[0][1] * self.vocabulary


@dataclass(frozen=True, kw_only=True)
class ScaleAndAddPositions(Op):
    """The input times sqrt(channels), plus sinusoids of the position (Vaswani et al. 2017, section 3.5).

    Sines come first and cosines behind them, with wavelengths from 2 pi to 10000 x 2 pi, as Tensor2Tensor has it.

    Attributes:
        sinusoids: whether to add them; networks with relative positions go without.
    """

    sinusoids: bool = True

    def output(self, *inputs: Shape) -> Shape:
        """The input shape."""
        if self.sinusoids and inputs[0][-1] % 2:
            raise ValueError(f"{self.name}: sinusoids come in pairs, so {inputs[0][-1]} channels must be even.")
        return inputs[0]


@dataclass(frozen=True, kw_only=True)
class NonzeroMask(Op):
    """1 at positions that hold anything but 0: (length,) or (length, channels) -> (length, 1)."""

    def output(self, *inputs: Shape) -> Shape:
        """(length, 1)."""
        return (inputs[0][0], 1)


@dataclass(frozen=True, kw_only=True)
class PadChannels(Op):
    """More channels behind those of the input, all of one value."""

    amount: int
    value: float

    def output(self, *inputs: Shape) -> Shape:
        """The input with its last dimension enlarged."""
        return (*inputs[0][:-1], inputs[0][-1] + self.amount)


@dataclass(frozen=True, kw_only=True)
class LightweightConv(Op):
    """A depthwise convolution whose kernels sum to 1 over their window and are shared (Wu et al. 2019).

    The window has stride 1.

    Attributes:
        kernel: width of the window.
        repeats: channels / repeats kernels are learned and repeated so often; channels that remain have their own.
        padding: "same" or "valid".
    """

    kernel: int
    repeats: int
    padding: Padding = "same"

    def output(self, *inputs: Shape) -> Shape:
        """(length, channels), with fewer positions where padding is "valid"."""
        return self._depthwise().output(*inputs)

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Kernel (window, learned kernels), before its softmax over the window."""
        repeated, own = divmod(inputs[0][-1], self.repeats)
        return {"kernel": (self.kernel, repeated + own)}

    def madds(self, *inputs: Shape) -> int:
        """Those of a depthwise convolution."""
        return self._depthwise().madds(*inputs)

    def _depthwise(self) -> DepthwiseConv:
        return DepthwiseConv(name=self.name, kernel=self.kernel, padding=self.padding)


@dataclass(frozen=True, kw_only=True)
class SequenceAttention(Attention):
    """Attention with a mask of the keys and relative positions, both at wish.

    Inputs are queries, keys and values as of `Attention`, and where padding must not be seen a mask (keys, 1).
    Relative positions count from the ends: fewer queries than keys stand at the last keys, so that one query
    against all keys so far is a step of decoding.

    Relative positions (Shaw et al. 2018): e_ij = q_i (k_j + a_c) / sqrt(d) and z_i = sum of alpha_ij (v_j + b_c),
    where c = clip(j - i, -k, k) names a row of the tables a and b, which all heads share.

    Attributes:
        relative: k, the largest distance that has a row of its own; 0 for no relative positions.
    """

    relative: int = 0

    def output(self, *inputs: Shape) -> Shape:
        """(length, heads x value size)."""
        if len(inputs) == 4 and inputs[3] != (inputs[1][0], 1):
            raise ValueError(f"{self.name}: expected a mask of shape {(inputs[1][0], 1)}, received {inputs[3]}.")
        return super().output(*inputs[:3])

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """The two tables, of 2k + 1 rows each; the first one transposed."""
        if not self.relative:
            return {}
        key_size, value_size = inputs[1][1] // self.heads, inputs[2][1] // self.heads
        return {"relative_keys": (key_size, self.rows), "relative_values": (self.rows, value_size)}

    def madds(self, *inputs: Shape) -> int:
        """Both products of attention and, with relative positions, theirs with the tables.

        Every query meets every row of the tables, and every pair of positions picks its row by a product with an
        indicator, once for the scores and once for the values.
        """
        vanilla = super().madds(*inputs[:3])
        if not self.relative:
            return vanilla
        (queries, _), (keys, key_channels), (_, value_channels) = inputs[:3]
        tables = queries * self.rows * (key_channels + value_channels)
        return vanilla + tables + 2 * queries * keys * self.heads * self.rows

    @property
    def rows(self) -> int:
        """Rows of a table of relative positions."""
        return 2 * self.relative + 1
