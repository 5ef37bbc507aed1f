"""The Transformer and the Evolved Transformer as points of one space, in their published sizes.

Sources: tensor2tensor `nas_seq2seq_base` for the Transformer as seed of the search, `models/evolved_transformer.py`
for the Evolved Transformer's cells (3 in the encoder, 4 in the decoder), `transformer_tiny/small/base/big` for
sizes. Blocks that a cell does not need repeat the hidden state before them and change nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from autoglyph.search_spaces.architectures.evolved_transformer import EvolvedTransformer
from autoglyph.search_spaces.blocks.et_cell import Block, Branch, BranchActivation, Combiner
from autoglyph.search_spaces.blocks.et_layers import ATTEND, DEAD, IDENTITY

ENCODER_BLOCKS, DECODER_BLOCKS = 6, 8
HALF, FULL, DOUBLE, FOURFOLD = 1, 2, 4, 8
"""Relative output dimensions, in halves of the dimension."""


class Size(NamedTuple):
    """A published size.

    Attributes:
        dimension: channels of the embeddings.
        heads: of attention.
        cells: layers of the Transformer's encoder, and of its decoder.
        et_cells: cells of the Evolved Transformer's encoder and decoder.
        dropout: rate.
    """

    dimension: int
    heads: int
    cells: int = 6
    et_cells: tuple[int, int] = (3, 4)
    dropout: float = 0.1


SIZES = {
    "tiny": Size(128, 4, cells=2),
    "128": Size(128, 8),
    "small": Size(256, 4, cells=2),
    "base": Size(512, 8),
    "big": Size(1024, 16, dropout=0.3),
    "deep": Size(640, 16, et_cells=(9, 10), dropout=0.3),
}
"""The 128-channel pair is of the paper's comparison at about 7M parameters; deep is an Evolved Transformer alone."""


def transformer_members() -> Mapping[str, Callable[[], EvolvedTransformer]]:
    """All known individuals by name."""
    transformers = {f"transformer-{n}": functools.partial(transformer, s) for n, s in SIZES.items() if n != "deep"}
    return transformers | {f"et-{n}": functools.partial(evolved_transformer, s) for n, s in SIZES.items()}


def transformer(size: Size) -> EvolvedTransformer:
    """The Transformer with norms before its layers, 3 blocks in the encoder's cell and 4 in the decoder's."""
    own = f"attention_{size.heads}_heads"
    encoder = [
        _residual(_branch(0, own, norm=True), 0),
        _alone(_branch(1, "standard_conv_1x1", FOURFOLD, "relu", norm=True)),
        _residual(_branch(2, "standard_conv_1x1"), 1),
    ]
    decoder = [
        _residual(_branch(0, own, norm=True), 0),
        _residual(_branch(1, ATTEND, norm=True), 1),
        _alone(_branch(2, "standard_conv_1x1", FOURFOLD, "relu", norm=True)),
        _residual(_branch(3, "standard_conv_1x1"), 2),
    ]
    return _individual(encoder, decoder, size, (size.cells, size.cells))


def evolved_transformer(size: Size) -> EvolvedTransformer:
    """The published Evolved Transformer: all blocks of both cells are at work."""
    own, more = f"attention_{size.heads}_heads", f"attention_{max(min(2 * size.heads, 16), size.heads)}_heads"
    encoder = [
        _residual(_branch(0, "gated_linear_unit", norm=True), 0),
        _joined(
            _branch(1, "standard_conv_1x1", FOURFOLD, "relu", norm=True),
            _branch(1, "standard_conv_3x1", HALF, "relu", norm=True),
        ),
        _residual(_branch(2, "separable_conv_9x1", HALF, norm=True), 1),
        _residual(_branch(3, own, norm=True), 3),
        _alone(_branch(4, "standard_conv_1x1", FOURFOLD, "relu", norm=True)),
        _residual(_branch(5, "standard_conv_1x1"), 4),
    ]
    decoder = [
        _joined(_branch(0, more, norm=True), _branch(0, ATTEND, norm=True)),
        _residual(_branch(1, IDENTITY), 0),
        _joined(
            _branch(2, "separable_conv_11x1", DOUBLE, "relu", norm=True),
            _branch(2, "separable_conv_7x1", HALF, norm=True),
        ),
        _residual(_branch(3, "separable_conv_7x1", norm=True), 2),
        _residual(_branch(4, own, norm=True), 4),
        _residual(_branch(5, ATTEND, norm=True), 5),
        _alone(_branch(6, "standard_conv_1x1", FOURFOLD, "swish", norm=True)),
        _residual(_branch(7, "standard_conv_1x1", norm=True), 6),
    ]
    return _individual(encoder, decoder, size, size.et_cells)


def _individual(encoder: list[Block], decoder: list[Block], size: Size, cells: tuple[int, int]) -> EvolvedTransformer:
    settings: dict[str, Any] = {"dimension": size.dimension, "heads": size.heads, "dropout": size.dropout}
    return EvolvedTransformer(
        encoder=_filled(encoder, ENCODER_BLOCKS),
        encoder_cells=cells[0],
        decoder=_filled(decoder, DECODER_BLOCKS),
        decoder_cells=cells[1],
        **settings,
    )


def _filled(blocks: list[Block], count: int) -> list[Block]:
    inert = [_alone(_branch(i, IDENTITY)) for i in range(len(blocks), count)]
    return blocks + inert


def _branch(
    state: int, layer: str, size: int = FULL, activation: BranchActivation = "none", *, norm: bool = False
) -> Branch:
    return Branch(input=state, norm="layer_norm" if norm else "none", layer=layer, size=size, activation=activation)


def _joined(left: Branch, right: Branch, combiner: Combiner = "add") -> Block:
    return Block(left=left, right=right, combiner=combiner)


def _residual(left: Branch, state: int) -> Block:
    return _joined(left, _branch(state, IDENTITY))


def _alone(left: Branch) -> Block:
    return _joined(left, _branch(left.input, DEAD))
