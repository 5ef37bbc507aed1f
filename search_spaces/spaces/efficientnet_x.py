"""The EfficientNet-X space on the EfficientNet-B0 skeleton (Li et al. 2021).

Per stage: op {MBConv, fused MBConv}, kernel {3, 5, 7}, expansion {1, 3, 4, 6}, squeeze-and-excitation ratio
{0, 0.25, 0.5, 1}, activation {relu, swish}, three widths around the published one and three repeats; the
stages of stride 1 that a stage of stride 2 follows may run on space-to-depth. Activation of stem and head
and the compound scaling (every published one) are decisions too, so all published members are points.

The paper's own lists are not all printed in it: kernel, expansion and SE candidates here are the union of
what its models use and of MnasNet's.
"""

from __future__ import annotations

from typing import Any

import pyglove as pg

from autoglyph.search_spaces.architectures.efficientnet import STRIDES, EfficientNet, Scaling, Stage
from autoglyph.search_spaces.architectures.efficientnet_family import (
    B0_STAGES,
    efficientnet_members,
    efficientnet_x_members,
    published_scalings,
)
from autoglyph.search_spaces.space import SearchSpace

OPS = ("mbconv", "fused_mbconv")
KERNELS = (3, 5, 7)
EXPANSIONS = (1, 3, 4, 6)
SE_RATIOS = (0.0, 0.25, 0.5, 1.0)
ACTIVATIONS = ("relu", "swish")
WIDTH_STEPS = (0.75, 1.0, 1.25)


def _space() -> EfficientNet:
    return EfficientNet(
        stages=[_stage(i) for i in range(len(STRIDES))],
        activation=pg.oneof(list(ACTIVATIONS)),
        scaling=pg.oneof([Scaling(width=w, depth=d, resolution=r) for w, d, r in published_scalings()]),
    )


def _stage(i: int) -> Stage:
    published = B0_STAGES[i]
    may_fold = STRIDES[i] == 1 and i + 1 < len(STRIDES) and STRIDES[i + 1] == 2
    space_to_depth: Any = pg.oneof([False, True]) if may_fold else False
    return Stage(
        filters=pg.oneof([Scaling(width=step).filters(published.filters) for step in WIDTH_STEPS]),
        repeats=pg.oneof(sorted({max(1, published.repeats + d) for d in (-1, 0, 1)})),
        stride=STRIDES[i],
        op=pg.oneof(list(OPS)),
        kernel=pg.oneof(list(KERNELS)),
        expansion=pg.oneof(list(EXPANSIONS)),
        se_ratio=pg.oneof(list(SE_RATIOS)),
        activation=pg.oneof(list(ACTIVATIONS)),
        space_to_depth=space_to_depth,
    )


SPACE = SearchSpace(
    "efficientnet_x",
    _space,
    individuals=efficientnet_members() | efficientnet_x_members(),
    description="MBConv or fused MBConv, widths, activations, space-to-depth and compound scaling",
)
