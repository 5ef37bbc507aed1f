"""The search space of the Evolved Transformer (So, Liang and Le 2019): 7.2959e115 points.

A cell of 6 blocks for the encoder and one of 8 for the decoder; a block is [left input, norm, layer, relative
output dimension, activation, the same five on the right, combiner]; each cell is repeated 1 to 6 times.
Blocks of two dead branches are illegal. Two choices go beyond the paper: a decoder that never attends to the
encoder and hidden states of more than 64 times the dimension are not tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import numpy as np
import pyglove as pg
from numpy.typing import NDArray

from autoglyph.search_spaces.architectures.evolved_transformer import (
    DIMENSION,
    UNIT,
    WIDEST,
    EvolvedTransformer,
    width,
)
from autoglyph.search_spaces.architectures.transformer_family import (
    DECODER_BLOCKS,
    ENCODER_BLOCKS,
    transformer_members,
)
from autoglyph.search_spaces.blocks.et_cell import Block, Branch, BranchActivation, Combiner, Norm
from autoglyph.search_spaces.blocks.et_layers import (
    ATTEND,
    DEAD,
    DECODER_LAYERS,
    ENCODER_LAYERS,
    Layer,
    keeps_channels,
)
from autoglyph.search_spaces.blocks.et_widths import Cells, widest_states
from autoglyph.search_spaces.genome import Genome, Rows
from autoglyph.search_spaces.space import SearchSpace

NORMS: tuple[Norm, ...] = get_args(Norm)
ACTIVATIONS: tuple[BranchActivation, ...] = get_args(BranchActivation)
COMBINERS: tuple[Combiner, ...] = get_args(Combiner)
SIZES = range(1, 11)
CELLS = range(1, 7)


def _space() -> Any:
    return EvolvedTransformer(
        encoder=[_block(i, ENCODER_LAYERS) for i in range(1, ENCODER_BLOCKS + 1)],
        encoder_cells=pg.oneof(list(CELLS)),
        decoder=[_block(i, DECODER_LAYERS) for i in range(1, DECODER_BLOCKS + 1)],
        decoder_cells=pg.oneof(list(CELLS)),
    )


def _block(number: int, layers: Mapping[str, Layer]) -> Block:
    return Block(left=_branch(number, layers), right=_branch(number, layers), combiner=pg.oneof(list(COMBINERS)))


def _branch(block: int, layers: Mapping[str, Layer]) -> Branch:
    return Branch(
        input=pg.oneof(list(range(block))),
        norm=pg.oneof(list(NORMS)),
        layer=pg.oneof(list(layers)),
        size=pg.oneof(list(SIZES)),
        activation=pg.oneof(list(ACTIVATIONS)),
    )


def _feasible(rows: Rows, genome: Genome) -> NDArray[np.bool_]:
    """Individuals that can be built: no dead blocks, no blind decoder, no hidden state too wide."""
    encoder = _cells(rows, genome, "encoder", ENCODER_BLOCKS, ENCODER_LAYERS)
    decoder = _cells(rows, genome, "decoder", DECODER_BLOCKS, DECODER_LAYERS)
    layers = _genes(rows, genome, "decoder", DECODER_BLOCKS, "layer")
    attending: NDArray[np.bool_] = layers == list(DECODER_LAYERS).index(ATTEND)
    feasible = attending.any(axis=(1, 2))
    for cells in (encoder, decoder):
        feasible &= cells.dead.all(axis=2).sum(axis=1) == 0
        feasible &= widest_states(cells, DIMENSION) <= WIDEST * DIMENSION
    return np.asarray(feasible)


def _cells(rows: Rows, genome: Genome, side: str, blocks: int, layers: Mapping[str, Layer]) -> Cells:
    names = list(layers)
    layer = _genes(rows, genome, side, blocks, "layer")
    channels = np.array([width(size, DIMENSION, UNIT) for size in SIZES])
    combiners = [_column(genome, f"{side}[{i}].combiner") for i in range(blocks)]
    return Cells(
        inputs=_genes(rows, genome, side, blocks, "input"),
        dead=layer == names.index(DEAD),
        keeping=np.array([keeps_channels(name) for name in names])[layer],
        channels=channels[_genes(rows, genome, side, blocks, "size")],
        concat=rows[:, combiners] == COMBINERS.index("concat"),
        repeats=np.array(CELLS)[rows[:, _column(genome, f"{side}_cells")].astype(np.int64)],
    )


def _genes(rows: Rows, genome: Genome, side: str, blocks: int, field: str) -> NDArray[np.int64]:
    """(n, blocks, 2) genes of one field of the branches."""
    columns = [
        [_column(genome, f"{side}[{i}].{branch}.{field}") for branch in ("left", "right")] for i in range(blocks)
    ]
    return rows[:, columns].astype(np.int64)


def _column(genome: Genome, name: str) -> int:
    return int(genome.columns_under(name)[0])


SPACE = SearchSpace(
    "evolved_transformer",
    _space,
    individuals=transformer_members(),
    feasible=_feasible,
    description="Encoder and decoder cells of two-branch blocks over tokens: the space of the Evolved Transformer",
)
