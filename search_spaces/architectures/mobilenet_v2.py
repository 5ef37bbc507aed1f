"""MobileNetV2: inverted bottlenecks without squeeze-and-excitation (Sandler et al. 2018, table 2)."""

from __future__ import annotations

from autoglyph.search_spaces.architectures.efficientnet import EfficientNet, Scaling, Stage

_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Expansion, filters, repeats and stride of each stage."""


def mobilenet_v2(resolution: int = 224, width: float = 1.0) -> EfficientNet:
    """MobileNetV2, on the skeleton of EfficientNet.

    Args:
        resolution: side of the square input, pixels.
        width: factor on channels; those of the head are never fewer than 1280.
    """
    stages = [
        Stage(filters=filters, repeats=repeats, stride=stride, expansion=expansion, se_ratio=0.0, activation="relu6")
        for expansion, filters, repeats, stride in _STAGES
    ]
    return EfficientNet(
        stages=stages,
        head_filters=round(1280 / min(width, 1.0)),
        activation="relu6",
        scaling=Scaling(width=width, resolution=resolution),
        drop_path=0.0,
    )
