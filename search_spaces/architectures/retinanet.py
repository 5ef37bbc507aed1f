"""RetinaNet: a one-stage detector of backbone, feature pyramid, and heads that all levels share.

Lin et al. 2017 ("Focal Loss for Dense Object Detection"). The convolutions of the heads are shared by the levels,
their norms are not, as in tensorflow/tpu models/official/detection, by which the published parameter counts come
out.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Self

from autoglyph.search_spaces.architecture import Architecture, Segment
from autoglyph.search_spaces.architectures.backbones import feature_segments
from autoglyph.search_spaces.architectures.efficientnet import Scaling
from autoglyph.search_spaces.architectures.resnet_rs import ResNet, resnet
from autoglyph.search_spaces.blocks.feature_pyramid import LEVELS, Pyramid
from autoglyph.search_spaces.net import Net, Tensor
from autoglyph.search_spaces.ops import ActivationKind

HEADS = ("class", "box")
BOX_NUMBERS = 4
CLASS_LOGITS = "heads_class_logits"
"""Name of the layer that puts out class logits, whose bias RetinaNet starts at the log-odds of a rare class."""


class RetinaNet(Architecture):
    """A detector of boxes in images.

    Its output is a tuple of ten tensors: class logits (side, side, anchors x classes) of the levels P3 to P7, then
    box codes (side, side, anchors x 4) of the same levels. With exits there are ten for each stage of the pyramid, in
    their order, so the last ten are those without exits.

    Attributes:
        backbone: a classifier whose last segment, its head, is left out.
        pyramid: `Fpn`, `NasFpn` or another one with `filters` and `build`.
        classes: of objects, without background.
        anchors: boxes at each position.
        head_filters: channels of the convolutions of both heads.
        head_depth: how many of them stand before the last one of each head.
        activation: of the heads.
        exits: whether there are heads behind every stage of the pyramid, so that detection may leave early, as in
            the anytime detection of NAS-FPN. They share their convolutions and have norms of their own.
        separable: whether a convolution of the heads is one by channel and a 1x1 one, for mobile detectors.
    """

    backbone: Architecture
    pyramid: Pyramid
    classes: int = 90
    anchors: int = 9
    head_filters: int = 256
    head_depth: int = 4
    activation: ActivationKind = "relu"
    separable: bool = False
    exits: bool = False

    def segments(self) -> Sequence[Segment]:
        """Those of the backbone, pyramid, heads."""
        heads = ("classes", "anchors", "head_filters", "head_depth", "activation", "separable")
        return [
            *feature_segments(self.backbone, "backbone"),
            Segment("pyramid", ("pyramid", "exits"), _pyramid),
            Segment("heads", heads, _heads),
        ]

    @property
    def resolution(self) -> int:
        """Side of the square images, pixels."""
        return self.backbone.resolution

    @property
    def channels(self) -> int:
        """Of the images."""
        return int(self.backbone.sym_getattr("channels"))

    def for_data(self, *, channels: int, classes: int) -> Self:
        """The same detector for images of so many channels and objects of so many classes."""
        fitted: Self = self.clone(deep=True)
        fitted.rebind({"backbone.channels": channels, "classes": classes}, raise_on_no_change=False)
        return fitted

    def proxy(self, *, resolution: int, channels: int, classes: int, width: float) -> Self:
        """The same pyramid, narrower, on a small backbone, with heads of at most two convolutions.

        A ResNet gives way to ResNet-10, as in the proxy task of NAS-FPN; other backbones are their own proxies.

        Args:
            resolution: side of the images, pixels, a multiple of 128.
            channels: of the images.
            classes: of objects.
            width: factor on the channels of backbone, pyramid and heads.
        """
        base = resnet(10) if isinstance(self.backbone, ResNet) else self.backbone
        narrowed = Scaling(width=float(width))
        small: Self = self.clone(deep=True)
        small.rebind(
            {
                "backbone": base.proxy(resolution=resolution, channels=channels, classes=classes, width=width),
                "pyramid.filters": narrowed.filters(self.pyramid.filters),
                "classes": classes,
                "head_filters": narrowed.filters(self.head_filters),
                "head_depth": min(self.head_depth, 2),
            },
            raise_on_no_change=False,
        )
        return small


def _pyramid(net: Net, maps: tuple[Tensor, ...], pyramid: Pyramid, exits: bool) -> tuple[Tensor, ...]:
    stages = pyramid.stages(net, maps)
    return tuple(itertools.chain.from_iterable(stages if exits else stages[-1:]))


def _heads(
    net: Net,
    maps: tuple[Tensor, ...],
    classes: int,
    anchors: int,
    filters: int,
    depth: int,
    activation: ActivationKind,
    separable: bool,
) -> tuple[Tensor, ...]:
    outputs: list[Tensor] = []
    stages = len(maps) // len(LEVELS)
    for stage, name in itertools.product(range(1, stages + 1), HEADS):
        last, numbers = ("logits", classes) if name == "class" else ("codes", BOX_NUMBERS)
        behind = f"_exit{stage}" if stage < stages else ""
        for level, x in zip(LEVELS, maps[(stage - 1) * len(LEVELS) : stage * len(LEVELS)], strict=True):
            for n in range(1, depth + 1):
                with net.shared(name):
                    x = _convolve(net, x, filters, separable, f"conv{n}")
                with net.scope(f"{name}_p{level}{behind}"):
                    x = net.norm(x, name=f"norm{n}")
                    x = net.activation(x, activation, name=f"activation{n}")
            with net.shared(name):
                outputs.append(_convolve(net, x, anchors * numbers, separable, last))
    return tuple(outputs)


def _convolve(net: Net, x: Tensor, filters: int, separable: bool, name: str) -> Tensor:
    if separable:
        x = net.depthwise_conv(x, 3, name=f"{name}_depthwise")
    return net.conv(x, filters, 1 if separable else 3, use_bias=True, name=name)
