"""Networks as backbones of detectors: classifiers by their maps at each resolution, and networks of pyramids."""

from __future__ import annotations

import math
from collections.abc import Callable

from autoglyph.search_spaces.architecture import Architecture, Segment
from autoglyph.search_spaces.architectures.efficientnet import Scaling
from autoglyph.search_spaces.blocks.feature_pyramid import BACKBONE_LEVELS, LEVELS, check_resolution
from autoglyph.search_spaces.net import Net, Tensor, Tensors


class PyramidNetwork(Architecture):
    """A network whose segments but the last make P3 to P7 by themselves.

    It has symbolic fields `classes` and `channels`, and as a classifier a head of this project's choice: the means
    of all levels side by side, and a dense layer.
    """

    @staticmethod
    def classifier_segment() -> Segment:
        """The head on P3 to P7."""
        return Segment("head", ("classes",), _classify)


def feature_segments(backbone: Architecture, path: str) -> list[Segment]:
    """The segments of a network but its last, the head; together they return its features.

    Args:
        backbone: a `PyramidNetwork`, which returns P3 to P7, or a classifier with a field `scaling` that has the
            resolution of its images, which returns C3 to C5: the maps of the last stages that reduce the image
            8-, 16- and 32-fold.
        path: where it stands in the architecture that takes its segments.
    """
    if isinstance(backbone, PyramidNetwork):
        return [
            Segment(segment.name, tuple(f"{path}.{part}" for part in segment.parts), segment.build)
            for segment in backbone.segments()[:-1]
        ]
    return [
        Segment(segment.name, (f"{path}.scaling", *(f"{path}.{part}" for part in segment.parts)), _collect(segment))
        for segment in backbone.segments()[:-1]
    ]


def _collect(segment: Segment) -> Callable[..., Tensors]:
    """The segment applied to the last of the maps; what it puts out joins them, or replaces one of its size."""

    def build(net: Net, maps: tuple[Tensor, ...] | None, scaling: Scaling, *parts: object) -> tuple[Tensor, ...]:
        if maps is None:
            check_resolution(scaling.resolution)
        output = segment.build(net, maps[-1] if maps else None, *parts)
        assert isinstance(output, Tensor)
        kept = [x for x in maps or () if x.shape[0] != output.shape[0] and _level(x, scaling) >= BACKBONE_LEVELS[0]]
        return (*kept, output)

    return build


def _classify(net: Net, maps: tuple[Tensor, ...], classes: int) -> Tensor:
    pooled = [net.global_pool(x, name=f"pool{n}") for n, x in enumerate(maps, start=LEVELS[0])]
    return net.dense(net.concat(*pooled), classes, name="classifier")


def _level(x: Tensor, scaling: Scaling) -> int:
    return round(math.log2(scaling.resolution / x.shape[0]))
