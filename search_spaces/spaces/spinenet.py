"""The SpineNet space: scale permutations, cross-scale connections, adjustments of levels and kinds of blocks.

Du et al. 2020. The blocks of a ResNet-50 between its stem and its outputs are permuted, and so are the five
outputs; every block reads two different earlier ones; the level of a block that is no output moves by -1, 0, +1
or +2, and every block is a bottleneck or a basic block. With N blocks behind a stem of m,
(N-5)! 5! prod(i = m .. N+m-1) C(i, 2) 4^(N-5) 2^N points: `space_size(15)` for N = 15.

Which ten levels are permuted is a choice of this project, such that the published SpineNet-49 is a point: one
block of level 2, three of level 3, four of level 4 and two of level 5.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import get_args

import pyglove as pg

from autoglyph.search_spaces.architectures.retinanet import RetinaNet
from autoglyph.search_spaces.architectures.spinenet import (
    STEM_BLOCKS,
    BlockKind,
    Endpoints,
    PermutedBlock,
    SpineNet,
)
from autoglyph.search_spaces.blocks.feature_pyramid import LEVELS
from autoglyph.search_spaces.blocks.scale_permuted import OUTPUTS
from autoglyph.search_spaces.ops import ActivationKind
from autoglyph.search_spaces.space import SearchSpace

BASE_LEVELS = (2, 3, 3, 3, 4, 4, 4, 4, 5, 5)
SHIFTS = (-1, 0, 1, 2)
PUBLISHED_INPUTS = (
    *((0, 1), (0, 1), (2, 3), (2, 4), (3, 5), (3, 5), (6, 7), (6, 8), (8, 9), (8, 10)),
    *((5, 10), (4, 10), (7, 12), (5, 14), (12, 14)),
)
PUBLISHED_BASIC = (1, 4, 6, 7)
"""Numbers of the basic blocks, counted from 0 behind the stem."""
PUBLISHED_PERMUTATION = (0, 1, 2, 3, 8, 4, 5, 9, 6, 7)
PUBLISHED_SHIFTS = (0, 1, 0, 1, 1, 0, 1, 2, 1, 1)
PUBLISHED_ORDER = (4, 3, 5, 7, 6)
"""SpineNet-49 of tensorflow/tpu models/official/detection; what it permutes and shifts is this project's."""


def spinenet_value(levels: Sequence[int] = BASE_LEVELS) -> RetinaNet:
    """The PyGlove value of a space of detectors at 640 pixels.

    Args:
        levels: of the blocks that are permuted.
    """
    kinds = list(get_args(BlockKind))
    backbone = SpineNet(
        blocks=[
            PermutedBlock(
                inputs=pg.manyof(2, list(range(STEM_BLOCKS + at)), distinct=True, sorted=True), kind=pg.oneof(kinds)
            )
            for at in range(len(levels) + OUTPUTS)
        ],
        levels=list(levels),
        permutation=pg.permutate(list(range(len(levels)))),
        shifts=[pg.oneof(list(SHIFTS)) for _ in levels],
        order=pg.permutate(list(LEVELS)),
    )
    return RetinaNet(backbone=backbone, pyramid=Endpoints())


def space_size(blocks: int, stem: int = STEM_BLOCKS) -> int:
    """Points of the space with so many blocks behind a stem.

    Args:
        blocks: N, with the five outputs.
        stem: m, blocks of the stem.
    """
    inner = blocks - OUTPUTS
    connections = math.prod(math.comb(i, 2) for i in range(stem, blocks + stem))
    orders = math.factorial(inner) * math.factorial(OUTPUTS)
    adjustments: int = len(SHIFTS) ** inner * len(get_args(BlockKind)) ** blocks
    return orders * connections * adjustments


def spinenet(
    *,
    size: int = 640,
    width: float = 1.0,
    repeats: int = 1,
    alpha: float = 0.5,
    endpoints: int = 256,
    head_filters: int = 256,
    head_depth: int = 4,
    activation: ActivationKind = "relu",
) -> RetinaNet:
    """RetinaNet on a member of the published family.

    Args:
        size: side of the images, pixels.
        width: factor on filters.
        repeats: of the layers of each block.
        alpha: share of the filters that connections keep.
        endpoints: channels of P3 to P7.
        head_filters: channels of the heads.
        head_depth: convolutions of the heads.
        activation: of all layers.
    """
    blocks = [
        PermutedBlock(inputs=[*inputs], kind="residual" if i in PUBLISHED_BASIC else "bottleneck")
        for i, inputs in enumerate(PUBLISHED_INPUTS)
    ]
    backbone = SpineNet(
        blocks=blocks,
        levels=[*BASE_LEVELS],
        permutation=[*PUBLISHED_PERMUTATION],
        shifts=[*PUBLISHED_SHIFTS],
        order=[*PUBLISHED_ORDER],
        width=width,
        repeats=repeats,
        alpha=alpha,
        activation=activation,
        size=size,
    )
    return RetinaNet(
        backbone=backbone,
        pyramid=Endpoints(filters=endpoints, activation=activation),
        head_filters=head_filters,
        head_depth=head_depth,
        activation=activation,
    )


MEMBERS: dict[str, Callable[[], RetinaNet]] = {
    "49s": functools.partial(spinenet, width=0.65, head_filters=128),
    "49": spinenet,
    "96": functools.partial(spinenet, size=1024, repeats=2),
    "143": functools.partial(spinenet, size=1280, repeats=3, alpha=1.0),
    "190": functools.partial(
        spinenet,
        size=1280,
        width=1.3,
        repeats=4,
        alpha=1.0,
        endpoints=512,
        head_filters=512,
        head_depth=7,
        activation="swish",
    ),
}

SPACE = SearchSpace(
    "spinenet",
    spinenet_value,
    individuals=MEMBERS,
    description="Scale-permuted backbones for RetinaNet: order, level, kind and connections of fifteen blocks",
)
