"""Image classifiers as backbones: the maps of their last stage at each resolution."""

from __future__ import annotations

import math
from collections.abc import Callable

from autoglyph.search_spaces.architecture import Architecture, Segment
from autoglyph.search_spaces.architectures.efficientnet import Scaling
from autoglyph.search_spaces.blocks.feature_pyramid import BACKBONE_LEVELS, check_resolution
from autoglyph.search_spaces.net import Net, Tensor, Tensors


def feature_segments(classifier: Architecture, path: str) -> list[Segment]:
    """The segments of a classifier but its last, the head; together they return C3, C4 and C5.

    Args:
        classifier: its field `scaling` has the resolution of its images; a stage must reduce it 8-, 16- and
            32-fold.
        path: where it stands in the architecture that takes its segments.
    """
    return [
        Segment(segment.name, (f"{path}.scaling", *(f"{path}.{part}" for part in segment.parts)), _collect(segment))
        for segment in classifier.segments()[:-1]
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


def _level(x: Tensor, scaling: Scaling) -> int:
    return round(math.log2(scaling.resolution / x.shape[0]))
