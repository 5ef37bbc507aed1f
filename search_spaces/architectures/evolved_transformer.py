"""Encoder-decoder networks of the Evolved Transformer's search space (So, Liang and Le 2019).

The Transformer (Vaswani et al. 2017) and the published Evolved Transformer are points of it. Details that the
paper leaves open follow Tensor2Tensor's `nas_model`; what is open there too is chosen here and said so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from autoglyph.search_spaces.architecture import Architecture, Segment
from autoglyph.search_spaces.blocks.et_cell import Block, cell
from autoglyph.search_spaces.blocks.et_layers import ATTEND, Surroundings
from autoglyph.search_spaces.net import Net, Tensor
from autoglyph.search_spaces.ops_sequence import (
    NonzeroMask,
    ScaleAndAddPositions,
    TiedLogits,
    TokenEmbedding,
    TokenInput,
)

VOCABULARY = 33_288
"""Word pieces at which the published parameter counts come out; a figure of this project, not of the paper."""
DIMENSION = 512
"""Channels of the embeddings of the base size."""
GRANULARITY = 16
"""Channels are multiples of this, so that 4, 8 and 16 heads divide them (a choice)."""
UNIT = 0.5
"""Channels of relative dimension 1 as a share of the model's dimension (a choice): the Evolved Transformer has
layers of half the dimension and of four times it, so both known individuals have whole relative dimensions."""
WIDEST = 64
"""Hidden states of more than so many times the model's dimension are refused (a choice): chains of concatenations
would double them from block to block and cell to cell."""
TABLE = "tokens"


class EvolvedTransformer(Architecture):
    """An encoder-decoder of repeated cells over tokens, with one table of embeddings for all.

    Attributes:
        encoder: blocks of the encoder's cell.
        encoder_cells: how often it is repeated.
        decoder: blocks of the decoder's cell.
        decoder_cells: how often it is repeated.
        dimension: channels of the embeddings, a multiple of 16.
        multiplier: channels of relative dimension 1 as a share of `dimension`; fits a network to a budget of
            parameters.
        heads: of the attention to the encoder.
        vocabulary: tokens of source and target; 0 is padding.
        source_length: tokens of a source for which costs are worked out.
        target_length: tokens of a target for which costs are worked out.
        dropout: rate on the embeddings and behind every layer but the identity.
        relative_positions: distances of relative positions in self-attention (Shaw et al. 2018), in place of
            sinusoids; 0 for sinusoids.
    """

    encoder: list[Block]
    encoder_cells: int
    decoder: list[Block]
    decoder_cells: int
    dimension: int = DIMENSION
    multiplier: float = UNIT
    heads: int = 8
    vocabulary: int = VOCABULARY
    source_length: int = 64
    target_length: int = 64
    dropout: float = 0.1
    relative_positions: int = 0

    def segments(self) -> Sequence[Segment]:
        """Encoder and decoder."""
        shared = ("dimension", "multiplier", "heads", "vocabulary", "dropout", "relative_positions")
        return [
            Segment("encoder", ("encoder", "encoder_cells", "source_length", *shared), _encoder),
            Segment("decoder", ("decoder", "decoder_cells", "target_length", *shared), _decoder),
        ]

    @property
    def resolution(self) -> int:
        """Tokens of a source."""
        return int(self.source_length)

    def proxy(self, *, resolution: int, channels: int, classes: int, width: float) -> Self:
        """The same decisions at a smaller dimension, without dropout.

        Args:
            resolution: tokens of source and target.
            channels: not used; tokens have none.
            classes: size of the vocabulary.
            width: factor on the dimension, which becomes a multiple of 32, so that relative dimensions stay exact.
        """
        small: Self = self.for_data(channels=channels, classes=classes)
        step = 2 * GRANULARITY
        dimension = max(step, round(self.dimension * width / step) * step)
        changes = {"dimension": dimension, "source_length": resolution, "target_length": resolution, "dropout": 0.0}
        small.rebind(changes, raise_on_no_change=False)
        return small

    def for_data(self, *, channels: int, classes: int) -> Self:
        """The same individual for a vocabulary of so many tokens."""
        fitted: Self = self.clone(deep=True)
        fitted.rebind(vocabulary=classes, raise_on_no_change=False)
        return fitted


def width(size: int, dimension: int, multiplier: float) -> int:
    """Channels of a relative output dimension: the nearest multiple of 16, at least one."""
    return max(GRANULARITY, round(size * multiplier * dimension / GRANULARITY) * GRANULARITY)


def _encoder(
    net: Net,
    _: Tensor | None,
    blocks: Sequence[Block],
    cells: int,
    length: int,
    dimension: int,
    multiplier: float,
    heads: int,
    vocabulary: int,
    dropout: float,
    relative: int,
) -> Tensor:
    tokens = net.apply(TokenInput(name="source", shape=(length,)))
    mask = net.apply(NonzeroMask(name="mask"), tokens)
    around = Surroundings(
        causal=False, heads=heads, widest=WIDEST * dimension, relative=relative, dropout=dropout, mask=mask
    )
    x = _embed(net, tokens, vocabulary, dimension, dropout, relative)
    x = net.layer_norm(_cells(net, x, blocks, cells, dimension, multiplier, around), name="final_norm")
    return net.multiply(x, mask, name="unpadded")


def _decoder(
    net: Net,
    encoded: Tensor,
    blocks: Sequence[Block],
    cells: int,
    length: int,
    dimension: int,
    multiplier: float,
    heads: int,
    vocabulary: int,
    dropout: float,
    relative: int,
) -> Tensor:
    if not any(ATTEND in (block.left.layer, block.right.layer) for block in blocks):
        raise ValueError(f"The decoder never sees the source: give a branch of it the layer {ATTEND}.")
    around = Surroundings(
        causal=True,
        heads=heads,
        widest=WIDEST * dimension,
        relative=relative,
        dropout=dropout,
        encoded=encoded,
        encoded_mask=net.apply(NonzeroMask(name="mask"), encoded),
    )
    tokens = net.apply(TokenInput(name="target", shape=(length,)))
    x = _embed(net, tokens, vocabulary, dimension, dropout, relative)
    x = net.layer_norm(_cells(net, x, blocks, cells, dimension, multiplier, around), name="final_norm")
    if x.channels != dimension:
        x = net.layer_norm(net.dense(x, dimension, name="resize"), name="resized_norm")
    return net.apply(TiedLogits(name="logits", table=TABLE, vocabulary=vocabulary), x)


def _embed(net: Net, tokens: Tensor, vocabulary: int, dimension: int, dropout: float, relative: int) -> Tensor:
    if dimension % GRANULARITY:
        raise ValueError(f"The dimension is {dimension}: give a multiple of {GRANULARITY}.")
    table = TokenEmbedding(name="embedding", table=TABLE, vocabulary=vocabulary, size=dimension)
    x = net.apply(ScaleAndAddPositions(name="positions", sinusoids=not relative), net.apply(table, tokens))
    return net.dropout(x, dropout, name="embedding_dropout")


def _cells(
    net: Net,
    x: Tensor,
    blocks: Sequence[Block],
    cells: int,
    dimension: int,
    multiplier: float,
    around: Surroundings,
) -> Tensor:
    for number in range(1, cells + 1):
        with net.scope(f"cell{number}"):
            x = cell(net, x, blocks, lambda size: width(size, dimension, multiplier), around)
    return x
