"""ResNet and ResNet-RS: four stages of residual blocks behind a stem.

He et al. 2016 (ResNet), He et al. 2019 (the stem and shortcut of ResNet-D), Bello et al. 2021 ("Revisiting
ResNets": ResNet-D, squeeze-and-excitation, scaling by depth and slowly by resolution). Block counts
and resolutions of ResNet-RS are those of tensorflow/tpu models/official/resnet/resnet_rs, its rates of dropout and
stochastic depth those of keras.applications.resnet_rs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Literal, Self

import pyglove as pg

from autoglyph.search_spaces.architecture import Architecture, Segment
from autoglyph.search_spaces.architectures.efficientnet import Scaling
from autoglyph.search_spaces.blocks.bottleneck import bottleneck
from autoglyph.search_spaces.blocks.residual import residual
from autoglyph.search_spaces.net import Net, Tensor
from autoglyph.search_spaces.ops import ActivationKind

BlockKind = Literal["bottleneck", "basic"]
StemKind = Literal["conv7", "resnet_d", "resnet_rs"]

STAGE_FILTERS = (64, 128, 256, 512)
BASIC_BLOCKS = {10: (1, 1, 1, 1), 18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}
RESNET_BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
RS_BLOCKS = RESNET_BLOCKS | {200: (3, 24, 36, 3), 270: (4, 29, 53, 4), 350: (4, 36, 72, 4), 420: (4, 44, 87, 4)}
RS_RESOLUTIONS = {
    50: (160,),
    101: (160, 192),
    152: (192, 224, 256),
    200: (256,),
    270: (256,),
    350: (256, 320),
    420: (320,),
}


class ResNetStage(pg.Object):
    """A run of blocks at one resolution.

    Attributes:
        filters: channels of the 3x3 convolutions before scaling; of bottlenecks a quarter of the output's.
        repeats: blocks before scaling.
        stride: of the first block.
        se_ratio: squeeze channels as a fraction of the block's output channels, 0 for none.
        block: "bottleneck", or "basic" for two 3x3 convolutions without squeeze-and-excitation.
    """

    filters: int
    repeats: int
    stride: int
    se_ratio: float = 0.25
    block: BlockKind = "bottleneck"


class ResNet(Architecture):
    """A residual network.

    Attributes:
        stages: from high to low resolution.
        stem: "conv7", a 7x7 convolution and max pooling; "resnet_d", three 3x3 convolutions and max pooling;
            "resnet_rs", four 3x3 convolutions, the last in place of the pooling. All reduce the image fourfold.
        stem_filters: channels of the stem's output before scaling.
        pooled_shortcut: ResNet-D's shortcut, average pooling before the 1x1 projection.
        activation: of stem and blocks.
        scaling: width, depth and resolution.
        classes: outputs of the classifier.
        channels: of the input image.
        dropout: before the classifier.
        drop_path: stochastic depth; stage i of n, counted from 1, has (i + 1) / (n + 1) of it.
    """

    stages: list[ResNetStage]
    stem: StemKind = "resnet_rs"
    stem_filters: int = 64
    pooled_shortcut: bool = True
    activation: ActivationKind = "relu"
    scaling: Scaling = Scaling()
    classes: int = 1000
    channels: int = 3
    dropout: float = 0.25
    drop_path: float = 0.0

    def segments(self) -> Sequence[Segment]:
        """Stem, stages, head."""
        stem = Segment("stem", ("stem", "stem_filters", "activation", "scaling", "channels"), _stem)
        count = len(self.stages)
        stages = [self._stage_segment(i, count) for i in range(count)]
        return [stem, *stages, Segment("head", ("classes", "dropout"), _head)]

    def _stage_segment(self, i: int, count: int) -> Segment:
        share = (i + 2) / (count + 1)

        def build(
            net: Net,
            x: Tensor,
            stage: ResNetStage,
            scaling: Scaling,
            pooled_shortcut: bool,
            activation: ActivationKind,
            drop_path: float,
        ) -> Tensor:
            return _stage(net, x, stage, scaling, pooled_shortcut, activation, drop_path * share)

        parts = (f"stages[{i}]", "scaling", "pooled_shortcut", "activation", "drop_path")
        return Segment(f"stage{i + 1}", parts, build)

    @property
    def resolution(self) -> int:
        """Side of the square input, pixels."""
        return int(self.scaling.resolution)

    def proxy(self, *, resolution: int, channels: int, classes: int, width: float) -> Self:
        """The same decisions, depth unscaled, without dropout."""
        small: Self = self.for_data(channels=channels, classes=classes)
        small.rebind(
            {
                "scaling.width": float(width),
                "scaling.depth": 1.0,
                "scaling.resolution": resolution,
                "dropout": 0.0,
                "drop_path": 0.0,
            },
            raise_on_no_change=False,
        )
        return small


def resnet(depth: int, resolution: int = 224) -> ResNet:
    """A ResNet of bottlenecks with the stride in the 3x3 convolution, or of basic blocks (He et al. 2016).

    Args:
        depth: a key of `RESNET_BLOCKS`, or for basic blocks of `BASIC_BLOCKS`.
        resolution: side of the square input, pixels.
    """
    block: BlockKind = "basic" if depth in BASIC_BLOCKS else "bottleneck"
    return ResNet(
        stages=_stages((BASIC_BLOCKS | RESNET_BLOCKS)[depth], se_ratio=0.0, block=block),
        stem="conv7",
        pooled_shortcut=False,
        scaling=Scaling(resolution=resolution),
        dropout=0.0,
    )


def resnet_rs(depth: int, resolution: int | None = None) -> ResNet:
    """ResNet-RS (Bello et al. 2021).

    Args:
        depth: a key of `RS_BLOCKS`.
        resolution: side of the square input, pixels; None for the lowest published for this depth.
    """
    return ResNet(
        stages=_stages(RS_BLOCKS[depth], se_ratio=0.25),
        scaling=Scaling(resolution=resolution or RS_RESOLUTIONS[depth][0]),
        dropout=0.4 if depth >= 350 else 0.25,
        drop_path=0.1 if depth >= 200 else 0.0,
    )


def resnet_members() -> dict[str, Callable[[], ResNet]]:
    """The networks "resnet-50" to "resnet-152" and "rs-50" to "rs-420"; "rs-50-160" names a resolution too."""
    members: dict[str, Callable[[], ResNet]] = {
        f"resnet-{depth}": functools.partial(resnet, depth) for depth in RESNET_BLOCKS
    }
    for depth, resolutions in RS_RESOLUTIONS.items():
        members[f"rs-{depth}"] = functools.partial(resnet_rs, depth)
        for resolution in resolutions:
            members[f"rs-{depth}-{resolution}"] = functools.partial(resnet_rs, depth, resolution)
    return members


def _stages(blocks: Sequence[int], *, se_ratio: float, block: BlockKind = "bottleneck") -> list[ResNetStage]:
    return [
        ResNetStage(filters=filters, repeats=repeats, stride=1 if i == 0 else 2, se_ratio=se_ratio, block=block)
        for i, (filters, repeats) in enumerate(zip(STAGE_FILTERS, blocks, strict=True))
    ]


def _stem(
    net: Net,
    _: Tensor | None,
    kind: StemKind,
    base_filters: int,
    activation: ActivationKind,
    scaling: Scaling,
    channels: int,
) -> Tensor:
    filters, half = scaling.filters(base_filters), scaling.filters(base_filters // 2)
    plan = [(filters, 7, 2)] if kind == "conv7" else [(half, 3, 2), (half, 3, 1), (filters, 3, 1)]
    if kind == "resnet_rs":
        plan.append((filters, 3, 2))
    x = net.input((scaling.resolution, scaling.resolution, channels))
    for n, (outputs, kernel, stride) in enumerate(plan, start=1):
        with net.scope(f"conv{n}"):
            x = net.activation(net.norm(net.conv(x, outputs, kernel, stride=stride)), activation)
    return x if kind == "resnet_rs" else net.pool(x, "max", 3, stride=2)


def _stage(
    net: Net,
    x: Tensor,
    stage: ResNetStage,
    scaling: Scaling,
    pooled_shortcut: bool,
    activation: ActivationKind,
    drop_rate: float,
) -> Tensor:
    filters, se_ratio = scaling.filters(stage.filters), stage.se_ratio
    for n in range(scaling.repeats(stage.repeats)):
        stride = stage.stride if n == 0 else 1
        if stage.block == "basic":
            x = net.block(f"block{n + 1}", residual, x, filters, stride, activation, drop_rate)
            continue
        x = net.block(f"block{n + 1}", bottleneck, x, filters, stride, se_ratio, pooled_shortcut, activation, drop_rate)
    return x


def _head(net: Net, x: Tensor, classes: int, dropout: float) -> Tensor:
    return net.dense(net.dropout(net.global_pool(x), dropout), classes, name="classifier")
