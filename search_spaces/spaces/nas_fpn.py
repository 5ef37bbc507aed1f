"""The NAS-FPN space: merging cells over the levels of a feature pyramid (Ghiasi, Lin and Le 2019).

Every cell reads two different maps of those made so far and merges them by sum or attention. Cells but the last
five choose their level; the last five put out P3 to P7 in an order of choice. The order of the two inputs does not
matter, so they are drawn as an unordered pair: 3,017,710,080,000,000 points for seven cells.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import get_args

import pyglove as pg

from autoglyph.search_spaces.architectures.resnet_rs import resnet
from autoglyph.search_spaces.architectures.retinanet import RetinaNet
from autoglyph.search_spaces.blocks.feature_pyramid import LEVELS, Fpn
from autoglyph.search_spaces.blocks.nas_fpn import Merge, MergeOp, NasFpn
from autoglyph.search_spaces.space import SearchSpace

CELLS = 7
STACKS = 7
RESOLUTION = 640
PUBLISHED = (
    (1, 3, "attention"),
    (1, 5, "sum"),
    (0, 6, "sum"),
    (6, 7, "sum"),
    (7, 8, "attention"),
    (6, 9, "attention"),
    (9, 10, "attention"),
)
"""Inputs and operations of the cells found by the paper, as in tensorflow/tpu models/official/detection."""


def nas_fpn_value(cells: int = CELLS, stacks: int = STACKS, filters: int = 256) -> RetinaNet:
    """The PyGlove value of a space of detectors on ResNet-50 at 640 pixels.

    Args:
        cells: merging cells of a pyramid, five or more.
        stacks: how often the pyramid is repeated.
        filters: channels of its maps.

    Raises:
        ValueError: if there are fewer cells than levels.
    """
    if cells < len(LEVELS):
        raise ValueError(f"{cells} merging cells cannot put out {len(LEVELS)} levels: give {len(LEVELS)} or more.")
    merges = [
        Merge(
            inputs=pg.manyof(2, list(range(len(LEVELS) + at)), distinct=True, sorted=True),
            op=pg.oneof(list(get_args(MergeOp))),
        )
        for at in range(cells)
    ]
    pyramid = NasFpn(
        merges=merges,
        levels=[pg.oneof(list(LEVELS)) for _ in range(cells - len(LEVELS))],
        order=pg.permutate(list(LEVELS)),
        stacks=stacks,
        filters=filters,
    )
    return RetinaNet(backbone=resnet(50, RESOLUTION), pyramid=pyramid)


def r50_fpn() -> RetinaNet:
    """RetinaNet with the plain feature pyramid: what NAS-FPN is compared with, no point of the space."""
    return RetinaNet(backbone=resnet(50, RESOLUTION), pyramid=Fpn())


def r50_nas_fpn(stacks: int = STACKS, filters: int = 256, resolution: int = RESOLUTION) -> RetinaNet:
    """The published pyramid, "7@256" for seven stacks of 256 channels.

    Args:
        stacks: how often the pyramid is repeated.
        filters: channels of its maps and of the heads.
        resolution: side of the images, pixels.
    """
    pyramid = NasFpn(
        merges=[Merge(inputs=[i, j], op=op) for i, j, op in PUBLISHED],
        levels=[4, 4],
        order=[3, 4, 5, 7, 6],
        stacks=stacks,
        filters=filters,
    )
    return RetinaNet(backbone=resnet(50, resolution), pyramid=pyramid, head_filters=filters)


def anytime() -> RetinaNet:
    """The published detector with heads behind every pyramid, so that prediction may leave early."""
    network = r50_nas_fpn()
    network.rebind(exits=True)
    return network


def leaving_after(network: RetinaNet, stacks: int) -> RetinaNet:
    """The detector that is left where prediction leaves behind so many pyramids.

    Args:
        network: with a stack of merging pyramids.
        stacks: that are run, from 1 to those of the network.

    Raises:
        ValueError: if the network does not have so many.
    """
    if not isinstance(network.pyramid, NasFpn) or not 1 <= stacks <= network.pyramid.stacks:
        most = network.pyramid.stacks if isinstance(network.pyramid, NasFpn) else 0
        raise ValueError(f"The detector stacks {most} pyramids, so none can be left behind number {stacks}.")
    shallow: RetinaNet = network.clone(deep=True)
    shallow.rebind({"pyramid.stacks": stacks, "exits": False}, raise_on_no_change=False)
    return shallow


MEMBERS: dict[str, Callable[[], RetinaNet]] = {
    "r50-fpn": r50_fpn,
    **{f"r50-nas-fpn-{stacks}-256": functools.partial(r50_nas_fpn, stacks) for stacks in range(STACKS, 0, -1)},
    "r50-nas-fpn-7-256-anytime": anytime,
    "r50-nas-fpn-7-384": functools.partial(r50_nas_fpn, STACKS, 384, 1280),
}

SPACE = SearchSpace(
    "nas_fpn",
    nas_fpn_value,
    individuals=MEMBERS,
    description="Feature pyramids of seven merging cells for RetinaNet: inputs, operation, level and order",
)
