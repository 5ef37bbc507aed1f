"""The resource space of Efficient SpineNet: how a budget of multiply-adds is shared by the blocks.

Du et al., "Efficient Scale-Permuted Backbone with Learned Resource Distribution": the learned permutation of MBConv
blocks stays, the width of each block is searched. Every individual meets the budget within two per cent, for all
widths are taken times one factor, which bisection finds; so only relations of widths are searched. The candidates
0.5 to 1.5 and the budget, that of the published widths at 384 pixels, are choices of this project.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyglove as pg

from autoglyph.search_spaces.architectures.efficient_spinenet import BLOCKS, EfficientSpineNet, count_madds
from autoglyph.search_spaces.architectures.retinanet import RetinaNet
from autoglyph.search_spaces.architectures.spinenet import Endpoints
from autoglyph.search_spaces.space import SearchSpace

WIDTHS = (0.5, 0.75, 1.0, 1.25, 1.5)
FILTERS = 48
"""Channels of P3 to P7 and of the heads."""


def detector(widths: Sequence[Any], madds: int = 0) -> RetinaNet:
    """The mobile RetinaNet with these widths.

    Args:
        widths: relative filters of the 18 blocks, those of the stem first; numbers or PyGlove choices.
        madds: budget of the backbone, 0 for none.
    """
    return RetinaNet(
        backbone=EfficientSpineNet(widths=[*widths], madds=madds),
        pyramid=Endpoints(filters=FILTERS, activation="swish"),
        head_filters=FILTERS,
        activation="swish",
        separable=True,
    )


def spinenet_widths_value(madds: int | None = None) -> RetinaNet:
    """The PyGlove value of the space.

    Args:
        madds: budget of the backbone; None for that of the published widths.
    """
    budget = count_madds([1.0] * BLOCKS) if madds is None else madds
    return detector([pg.oneof(list(WIDTHS)) for _ in range(BLOCKS)], budget)


def mobile_49() -> RetinaNet:
    """RetinaNet on SpineNetMB-49, all widths 1."""
    return detector([1.0] * BLOCKS)


SPACE = SearchSpace(
    "spinenet_widths",
    spinenet_widths_value,
    individuals={"mb-49": mobile_49},
    description="Widths of the eighteen blocks of a mobile SpineNet under one budget of multiply-adds",
)
