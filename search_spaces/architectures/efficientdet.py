"""EfficientDet: RetinaNet on EfficientNet with BiFPN and separable heads (Tan, Pang and Le 2020, table 1)."""

from __future__ import annotations

from autoglyph.search_spaces.architectures.efficientnet_family import efficientnet_members
from autoglyph.search_spaces.architectures.retinanet import RetinaNet
from autoglyph.search_spaces.blocks.bifpn import BiFpn

EFFICIENTDETS = {
    "D0": ("b0", 512, 64, 3, 3),
    "D1": ("b1", 640, 88, 4, 3),
    "D2": ("b2", 768, 112, 5, 3),
    "D3": ("b3", 896, 160, 6, 4),
    "D4": ("b4", 1024, 224, 7, 4),
    "D5": ("b5", 1280, 288, 7, 4),
    "D6": ("b6", 1280, 384, 8, 5),
    "D7": ("b6", 1536, 384, 8, 5),
}
"""Backbone, side of the images, channels and stacks of the pyramid, depth of the heads; D7x, which has a level P8, is
left out."""


def efficientdet(name: str) -> RetinaNet:
    """A published EfficientDet.

    Args:
        name: a key of `EFFICIENTDETS`.
    """
    member, side, filters, stacks, depth = EFFICIENTDETS[name]
    backbone = efficientnet_members()[member]()
    backbone.rebind({"scaling.resolution": side}, raise_on_no_change=False)
    return RetinaNet(
        backbone=backbone,
        pyramid=BiFpn(filters=filters, stacks=stacks),
        head_filters=filters,
        head_depth=depth,
        activation="swish",
        separable=True,
    )
