"""EfficientNet and EfficientNet-X: seven stages of MBConv on the B0 skeleton, scaled by three coefficients.

Tan and Le 2019 (EfficientNet), Li et al. 2021 (EfficientNet-X: fused MBConv, space-to-depth, activation by
stage, latency-aware compound scaling).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, Self

import pyglove as pg

from autoglyph.search_spaces.architecture import Architecture, Segment
from autoglyph.search_spaces.blocks.mbconv import mbconv
from autoglyph.search_spaces.net import Net, Tensor
from autoglyph.search_spaces.ops import ActivationKind

CHANNEL_DIVISOR = 8
STRIDES = (1, 2, 2, 2, 1, 2, 1)


class Scaling(pg.Object):
    """Compound scaling of a base network.

    Attributes:
        width: factor on channels, rounded to multiples of 8 and never down by more than 10 %.
        depth: factor on the repeats of a stage, rounded up.
        resolution: side of the square input, pixels.
    """

    width: float = 1.0
    depth: float = 1.0
    resolution: int = 224

    def filters(self, base: int) -> int:
        """Channels after width scaling."""
        scaled = base * self.width
        rounded = max(CHANNEL_DIVISOR, int(scaled + CHANNEL_DIVISOR / 2) // CHANNEL_DIVISOR * CHANNEL_DIVISOR)
        return int(rounded if rounded >= 0.9 * scaled else rounded + CHANNEL_DIVISOR)

    def repeats(self, base: int) -> int:
        """Blocks of a stage after depth scaling."""
        return math.ceil(self.depth * base)


class Stage(pg.Object):
    """A run of blocks at one resolution.

    Attributes:
        filters: output channels before scaling.
        repeats: blocks before scaling.
        stride: of the first block.
        op: "mbconv" or "fused_mbconv".
        kernel: side of the spatial kernel.
        expansion: inner channels as a multiple of the input's.
        se_ratio: squeeze channels as a fraction of the block's input channels, 0 for none.
        activation: "relu" or "swish".
        space_to_depth: run the stage at half the resolution on four times the channels, entered by a trained
            2x2 convolution of stride 2 and left by the next stage, which must have stride 2.
    """

    filters: int
    repeats: int
    stride: int
    op: Literal["mbconv", "fused_mbconv"] = "mbconv"
    kernel: int = 3
    expansion: int = 6
    se_ratio: float = 0.25
    activation: ActivationKind = "swish"
    space_to_depth: bool = False


class EfficientNet(Architecture):
    """A member of the EfficientNet family.

    Attributes:
        stages: from high to low resolution.
        stem_filters: channels of the 3x3 stride-2 stem before scaling.
        head_filters: channels of the 1x1 head before scaling.
        activation: of stem and head.
        scaling: width, depth and resolution.
        classes: outputs of the classifier.
        channels: of the input image.
        dropout: before the classifier.
        drop_path: stochastic depth of the last stage; stage i of n has i / n of it.
    """

    stages: list[Stage]
    stem_filters: int = 32
    head_filters: int = 1280
    activation: ActivationKind = "swish"
    scaling: Scaling = Scaling()
    classes: int = 1000
    channels: int = 3
    dropout: float = 0.2
    drop_path: float = 0.2

    def segments(self) -> Sequence[Segment]:
        """Stem, stages, head."""
        stem = Segment("stem", ("stem_filters", "activation", "scaling", "channels"), _stem)
        head = Segment("head", ("head_filters", "activation", "scaling", "classes", "dropout"), _head)
        count = len(self.stages)
        return [stem, *(self._stage_segment(i, count) for i in range(count)), head]

    def _stage_segment(self, i: int, count: int) -> Segment:
        before = ("stem_filters",) if i == 0 else (f"stages[{i - 1}].filters", f"stages[{i - 1}].space_to_depth")
        share = i / count

        def build(
            net: Net,
            x: Tensor,
            stage: Stage,
            scaling: Scaling,
            drop_path: float,
            filters: int,
            folded: bool = False,
        ) -> Tensor:
            return _stage(net, x, stage, scaling, drop_path * share, filters, folded)

        return Segment(f"stage{i + 1}", (f"stages[{i}]", "scaling", "drop_path", *before), build)

    @property
    def resolution(self) -> int:
        """Side of the square input, pixels."""
        return int(self.scaling.resolution)

    def proxy(self, *, resolution: int, channels: int, classes: int, width: float) -> Self:
        """The same decisions, depth unscaled, without dropout."""
        small: Self = self.clone(deep=True)
        small.rebind(
            {
                "scaling.width": float(width),
                "scaling.depth": 1.0,
                "scaling.resolution": resolution,
                "channels": channels,
                "classes": classes,
                "dropout": 0.0,
                "drop_path": 0.0,
            },
            raise_on_no_change=False,
        )
        return small


def _stem(
    net: Net, _: Tensor | None, filters: int, activation: ActivationKind, scaling: Scaling, channels: int
) -> Tensor:
    x = net.input((scaling.resolution, scaling.resolution, channels))
    x = net.norm(net.conv(x, scaling.filters(filters), 3, stride=2))
    return net.activation(x, activation)


def _stage(
    net: Net,
    x: Tensor,
    stage: Stage,
    scaling: Scaling,
    drop_rate: float,
    input_filters: int,
    entered_folded: bool,
) -> Tensor:
    stride, activation = stage.stride, stage.activation
    folded = stage.space_to_depth and stride == 1
    if entered_folded and stride != 2:
        raise ValueError("A space-to-depth stage must be followed by a stage of stride 2.")
    fold = 4 if folded else 1
    kernel = (stage.kernel + 1) // 2 if folded else stage.kernel
    channels, filters = scaling.filters(input_filters) * fold, scaling.filters(stage.filters) * fold
    expansion, se_ratio, fused = stage.expansion, stage.se_ratio, stage.op == "fused_mbconv"
    if folded:
        with net.scope("space_to_depth"):
            x = net.norm(net.conv(x, channels, 2, stride=2))
            x = net.activation(x, activation)
    for n in range(scaling.repeats(stage.repeats)):
        first = n == 0
        squeeze = max(1, int(channels * se_ratio)) if se_ratio else 0
        x = net.block(
            f"block{n + 1}",
            mbconv,
            x,
            channels,
            filters,
            kernel,
            stride if first and not entered_folded else 1,
            expansion,
            max(1, squeeze // 4) if squeeze and first and folded else squeeze,
            activation,
            fused,
            drop_rate,
        )
        channels = filters
    return x


def _head(
    net: Net, x: Tensor, filters: int, activation: ActivationKind, scaling: Scaling, classes: int, dropout: float
) -> Tensor:
    x = net.activation(net.norm(net.conv(x, scaling.filters(filters), 1)), activation)
    x = net.dropout(net.global_pool(x), dropout)
    return net.dense(x, classes, name="classifier")
