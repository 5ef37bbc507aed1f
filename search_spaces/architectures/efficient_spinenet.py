"""Efficient SpineNet: a learned scale permutation of MBConv blocks whose widths share a budget (Du et al. 2020).

Du et al., "Efficient Scale-Permuted Backbone with Learned Resource Distribution". The permutation and the widths
before search are those of tensorflow/tpu models/official/detection/modeling/architecture/spinenet_mbconv.py.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from autoglyph.search_spaces.architecture import Segment
from autoglyph.search_spaces.architectures.backbones import PyramidNetwork
from autoglyph.search_spaces.architectures.madd_budget import MaddCount, fit_widths
from autoglyph.search_spaces.blocks.feature_pyramid import check_resolution
from autoglyph.search_spaces.blocks.mbconv import mbconv
from autoglyph.search_spaces.blocks.scale_permuted import BlockPlan, scale_permuted
from autoglyph.search_spaces.net import Net, Tensor
from autoglyph.search_spaces.ops import ActivationKind

FILTERS = {1: 16, 2: 24, 3: 40, 4: 80, 5: 112, 6: 112, 7: 112}
"""Of a block by its level, before search and scaling."""
STEM_LEVELS = (1, 2)
STEM_FILTERS = 8
SPECIFICATION = (
    *((2, 0, 1), (2, 1, 2), (4, 1, 2), (3, 3, 4), (4, 3, 5), (6, 4, 6), (4, 4, 6), (5, 7, 8), (7, 7, 9), (5, 9, 10)),
    *((5, 9, 11), (4, 6, 11), (3, 5, 11), (5, 8, 13), (7, 6, 15), (6, 13, 15)),
)
"""Level and inputs of the sixteen blocks behind the stem, the last five the outputs."""
BLOCKS = len(STEM_LEVELS) + len(SPECIFICATION)
KERNEL = 3
EXPANSION = 6
SE_RATIO = 0.2
DIVISOR = 8


class EfficientSpineNet(PyramidNetwork):
    """The fixed permutation with a width for each block.

    Attributes:
        widths: relative filters of each block, those of the stem first.
        madds: budget of multiply-adds of the permuted network at its size: all widths are taken times one factor
            that meets it within two per cent; 0 for widths as they are.
        scale: factor on all filters, of compound scaling.
        repeats: layers of blocks are repeated so often.
        activation: of all layers.
        size: side of the square images, pixels.
        classes: of the classifier.
        channels: of the images.
    """

    widths: list[float]
    madds: int = 0
    scale: float = 1.0
    repeats: int = 1
    activation: ActivationKind = "swish"
    size: int = 384
    classes: int = 1000
    channels: int = 3

    def segments(self) -> Sequence[Segment]:
        """The permuted network, and a classifier."""
        parts = ("widths", "madds", "scale", "repeats", "activation", "size", "channels")
        return [Segment("spine", parts, _spine), self.classifier_segment()]

    @property
    def resolution(self) -> int:
        """Side of the square images, pixels."""
        return int(self.size)

    def fitted_widths(self) -> list[float]:
        """The widths as the budget leaves them.

        Raises:
            ValueError: if no factor meets it within two per cent.
        """
        widths = tuple(float(width) for width in self.widths)
        sizes = (self.scale, self.repeats, self.activation, self.size, self.channels)
        return [*_fitted(widths, self.madds, *sizes)]

    def proxy(self, *, resolution: int, channels: int, classes: int, width: float) -> Self:
        """The same relative widths as the budget leaves them, narrower, in blocks that are not repeated."""
        small: Self = self.for_data(channels=channels, classes=classes)
        changes = {
            "widths": self.fitted_widths(),
            "madds": 0,
            "scale": self.scale * width,
            "repeats": 1,
            "size": resolution,
        }
        small.rebind(changes, raise_on_no_change=False)
        return small


@functools.lru_cache(maxsize=1 << 14)
def _fitted(
    widths: tuple[float, ...],
    madds: int,
    scale: float,
    repeats: int,
    activation: ActivationKind,
    size: int,
    channels: int,
) -> tuple[float, ...]:
    if not madds:
        return widths

    def count(candidates: Sequence[float]) -> int:
        return count_madds(candidates, scale, repeats, activation, size, channels)

    return tuple(fit_widths(count, widths, madds))


def count_madds(
    widths: Sequence[float],
    scale: float = 1.0,
    repeats: int = 1,
    activation: ActivationKind = "swish",
    size: int = 384,
    channels: int = 3,
) -> int:
    """Multiply-adds of the permuted network, without classifier or detector; arguments as of `EfficientSpineNet`."""
    net = MaddCount()
    _write(net, widths, scale, repeats, activation, size, channels)
    return net.madds


def _spine(
    net: Net,
    _: Tensor | None,
    widths: Sequence[float],
    madds: int,
    scale: float,
    repeats: int,
    activation: ActivationKind,
    size: int,
    channels: int,
) -> tuple[Tensor, ...]:
    plain = tuple(float(width) for width in widths)
    fitted = _fitted(plain, madds, scale, repeats, activation, size, channels)
    return _write(net, fitted, scale, repeats, activation, size, channels)


def _write(
    net: Net,
    widths: Sequence[float],
    scale: float,
    repeats: int,
    activation: ActivationKind,
    size: int,
    channels: int,
) -> tuple[Tensor, ...]:
    check_resolution(size)
    if len(widths) != BLOCKS:
        raise ValueError(f"There are {len(widths)} widths for {BLOCKS} blocks: give one for each.")
    filters = [
        _rounded(FILTERS[level] * width * scale)
        for level, width in zip([*STEM_LEVELS, *(level for level, *_ in SPECIFICATION)], widths, strict=True)
    ]
    stem = [BlockPlan((), level, "mbconv", n, n) for level, n in zip(STEM_LEVELS, filters, strict=False)]
    plans = [
        BlockPlan((first, second), level, "mbconv", n, n)
        for (level, first, second), n in zip(SPECIFICATION, filters[len(stem) :], strict=True)
    ]
    x = net.input((size, size, channels))
    x = net.activation(net.norm(net.conv(x, _rounded(STEM_FILTERS * scale), 3, stride=2)), activation)
    return scale_permuted(net, x, stem, plans, _Style(repeats, activation, size), size)


def _rounded(filters: float) -> int:
    """The nearest multiple of 8, at least 8, and never less than nine tenths (as EfficientNet rounds)."""
    rounded = max(DIVISOR, math.floor(filters + DIVISOR / 2) // DIVISOR * DIVISOR)
    return rounded if rounded >= 0.9 * filters else rounded + DIVISOR


@dataclass(frozen=True)
class _Style:
    repeats: int
    activation: ActivationKind
    size: int

    def block(self, net: Net, x: Tensor, plan: BlockPlan) -> Tensor:
        for n in range(1, self.repeats + 1):
            stride = 2 if x.shape[0] > self.size >> plan.level else 1
            squeeze = max(1, int(x.channels * SE_RATIO))
            settings = (plan.filters, KERNEL, stride, EXPANSION, squeeze, self.activation, False)
            x = net.block(f"repeat{n}", mbconv, x, x.channels, *settings)
        return x

    def resample(self, net: Net, x: Tensor, source: BlockPlan, side: int, target: BlockPlan, name: str) -> Tensor:
        return net.block(name, resample_by_channel, x, side, target.channels, self.activation)


def resample_by_channel(net: Net, x: Tensor, side: int, channels: int, activation: ActivationKind) -> Tensor:
    """A connection across scales: depthwise convolutions of stride 2 down, nearest neighbours up, a 1x1 convolution.

    Args:
        net: what reads it.
        x: (other side, other side, other channels).
        side: of the output; one is a multiple of the other by a power of 2.
        channels: of the output.
        activation: behind each depthwise convolution.

    Returns:
        (side, side, channels).
    """
    n = 1
    while x.shape[0] > side:
        x = net.norm(net.depthwise_conv(x, KERNEL, stride=2, name=f"reduce{n}"), name=f"reduce{n}_norm")
        x = net.activation(x, activation, name=f"reduced{n}")
        n += 1
    if x.shape[0] < side:
        x = net.upsample(x, side // x.shape[0])
    return net.norm(net.conv(x, channels, 1, name="widen"), name="widen_norm")
