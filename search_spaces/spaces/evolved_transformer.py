"""The search space of the Evolved Transformer (So, Liang and Le 2019): 7.2959e115 points.

A cell of 6 blocks for the encoder and one of 8 for the decoder; a block is [left input, norm, layer, relative
output dimension, activation, the same five on the right, combiner]; each cell is repeated 1 to 6 times.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import numpy as np
import pyglove as pg
from numpy.typing import NDArray

from autoglyph.search_spaces.architectures.evolved_transformer import EvolvedTransformer
from autoglyph.search_spaces.architectures.transformer_family import (
    DECODER_BLOCKS,
    ENCODER_BLOCKS,
    transformer_members,
)
from autoglyph.search_spaces.blocks.et_cell import Block, Branch, BranchActivation, Combiner, Norm
from autoglyph.search_spaces.blocks.et_layers import DEAD, DECODER_LAYERS, ENCODER_LAYERS, Layer
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


def _alive(rows: Rows, genome: Genome) -> NDArray[np.bool_]:
    """Individuals without a block whose branches are both dead."""
    layers = [i for i, column in enumerate(genome.columns) if column.name.endswith(".layer")]
    dead = rows[:, layers] == list(ENCODER_LAYERS).index(DEAD)
    return np.asarray(~(dead[:, 0::2] & dead[:, 1::2]).any(axis=1))


SPACE = SearchSpace(
    "evolved_transformer",
    _space,
    individuals=transformer_members(),
    feasible=_alive,
    description="Encoder and decoder cells of two-branch blocks over tokens: the space of the Evolved Transformer",
)
