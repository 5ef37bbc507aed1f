"""SpineNet: a backbone whose blocks are permuted over scales and connected across them (Du et al. 2020).

Filters, connections and scaling follow tensorflow/tpu models/official/detection/modeling/architecture/spinenet.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import pyglove as pg

from autoglyph.search_spaces.architecture import Segment
from autoglyph.search_spaces.architectures.backbones import PyramidNetwork
from autoglyph.search_spaces.blocks.bottleneck import EXPANSION, bottleneck
from autoglyph.search_spaces.blocks.feature_pyramid import Pyramid, check_resolution
from autoglyph.search_spaces.blocks.residual import residual
from autoglyph.search_spaces.blocks.scale_permuted import (
    OUTPUTS,
    BlockPlan,
    check_inputs,
    check_order,
    scale_permuted,
)
from autoglyph.search_spaces.net import Net, Tensor
from autoglyph.search_spaces.ops import ActivationKind

BlockKind = Literal["bottleneck", "residual"]

FILTERS = {1: 32, 2: 64, 3: 128, 4: 256, 5: 256, 6: 256, 7: 256}
"""Of a block by its level, before scaling; a bottleneck puts out four times as many."""
STEM_LEVEL = 2
STEM_BLOCKS = 2


class PermutedBlock(pg.Object):
    """A block and its connections.

    Attributes:
        inputs: numbers of two different earlier blocks; 0 and 1 are those of the stem.
        kind: "bottleneck" or "residual", the basic block of two 3x3 convolutions.
    """

    inputs: list[int]
    kind: BlockKind


class SpineNet(PyramidNetwork):
    """A scale-permuted network.

    Attributes:
        blocks: in the order they run; the last five are the outputs.
        levels: of the blocks but the last five, before they are permuted and adjusted.
        permutation: for each of these blocks, which of the levels it has.
        shifts: adjustments of the levels of these blocks.
        order: levels of the outputs, a permutation of 3 to 7.
        width: factor on all filters but the first convolution's.
        repeats: layers of blocks are repeated so often.
        alpha: share of a block's filters that its connections keep while they change the resolution.
        stem_filters: of the first convolution.
        activation: of all layers.
        size: side of the square images, pixels.
        classes: of the classifier.
        channels: of the images.
    """

    blocks: list[PermutedBlock]
    levels: list[int]
    permutation: list[int]
    shifts: list[int]
    order: list[int]
    width: float = 1.0
    repeats: int = 1
    alpha: float = 0.5
    stem_filters: int = 64
    activation: ActivationKind = "relu"
    size: int = 640
    classes: int = 1000
    channels: int = 3

    def segments(self) -> Sequence[Segment]:
        """The permuted network, and a classifier."""
        wiring = ("blocks", "levels", "permutation", "shifts", "order")
        sizes = ("width", "repeats", "alpha", "stem_filters", "activation", "size", "channels")
        return [Segment("spine", (*wiring, *sizes), _spine), self.classifier_segment()]

    @property
    def resolution(self) -> int:
        """Side of the square images, pixels."""
        return int(self.size)

    def proxy(self, *, resolution: int, channels: int, classes: int, width: float) -> Self:
        """The same network with narrower blocks that are not repeated."""
        small: Self = self.for_data(channels=channels, classes=classes)
        changes = {
            "width": self.width * width,
            "stem_filters": max(8, round(self.stem_filters * width)),
            "repeats": 1,
            "size": resolution,
        }
        small.rebind(changes, raise_on_no_change=False)
        return small


class Endpoints(Pyramid):
    """Brings the outputs of a scale-permuted network to one width by 1x1 convolutions.

    Attributes:
        activation: behind them.
    """

    activation: ActivationKind = "relu"

    def build(self, net: Net, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """P3 to P7 of equal channels."""
        levels: list[Tensor] = []
        for n, x in enumerate(maps, start=3):
            x = net.norm(net.conv(x, self.filters, 1, name=f"endpoint{n}"), name=f"norm{n}")
            levels.append(net.activation(x, self.activation, name=f"activation{n}"))
        return tuple(levels)


def block_plans(
    blocks: Sequence[PermutedBlock],
    levels: Sequence[int],
    permutation: Sequence[int],
    shifts: Sequence[int],
    order: Sequence[int],
    width: float,
) -> tuple[list[BlockPlan], list[BlockPlan]]:
    """Blocks of the stem and of the permuted network as plain values.

    Raises:
        ValueError: if they do not fit together.
    """
    if not len(levels) == len(shifts) == len(blocks) - OUTPUTS or sorted(permutation) != [*range(len(levels))]:
        raise ValueError(
            f"{len(blocks)} blocks have {len(levels)} levels in the order {[*permutation]} and {len(shifts)} "
            f"adjustments: give one of each for all blocks but the last {OUTPUTS}."
        )
    inner = [int(levels[at]) + int(shift) for at, shift in zip(permutation, shifts, strict=True)]
    if not set(inner) <= set(FILTERS):
        raise ValueError(f"Blocks have levels {inner}: give levels and adjustments from {min(FILTERS)} to 7 in sum.")
    stem = [_plan((), STEM_LEVEL, "bottleneck", width) for _ in range(STEM_BLOCKS)]
    plans = [
        _plan(check_inputs(block.inputs, number), level, block.kind, width)
        for number, (block, level) in enumerate(
            zip(blocks, [*inner, *check_order(order)], strict=True), start=STEM_BLOCKS
        )
    ]
    return stem, plans


def _plan(inputs: tuple[int, ...], level: int, kind: BlockKind, width: float) -> BlockPlan:
    filters = max(1, int(FILTERS[level] * width))
    return BlockPlan(inputs, level, kind, filters, filters * EXPANSION if kind == "bottleneck" else filters)


@dataclass(frozen=True)
class _Style:
    repeats: int
    alpha: float
    activation: ActivationKind

    def block(self, net: Net, x: Tensor, plan: BlockPlan) -> Tensor:
        for n in range(1, self.repeats + 1):
            if plan.kind == "bottleneck":
                x = net.block(f"repeat{n}", bottleneck, x, plan.filters, 1, 0.0, False, self.activation)
            else:
                x = net.block(f"repeat{n}", residual, x, plan.filters, 1, self.activation)
        return x

    def resample(self, net: Net, x: Tensor, source: BlockPlan, side: int, target: BlockPlan, name: str) -> Tensor:
        inner = max(1, int(source.filters * self.alpha))
        return net.block(name, resample_narrowed, x, inner, side, target.channels, self.activation)


def resample_narrowed(net: Net, x: Tensor, inner: int, side: int, channels: int, activation: ActivationKind) -> Tensor:
    """A connection across scales: narrow, change the resolution, widen.

    Args:
        net: what reads it.
        x: (other side, other side, other channels).
        inner: channels in between.
        side: of the output; one is a multiple of the other.
        channels: of the output.
        activation: behind all layers but the last.

    Returns:
        (side, side, channels).
    """
    before = x.shape[0]
    x = net.activation(net.norm(net.conv(x, inner, 1, name="narrow"), name="narrow_norm"), activation, name="narrowed")
    if before > side:
        x = net.norm(net.conv(x, inner, 3, stride=2, name="reduce"), name="reduce_norm")
        x = net.activation(x, activation, name="reduced")
        if before > 2 * side:
            x = net.pool(x, "max", 3 if before <= 4 * side else 5, stride=before // side // 2)
    elif before < side:
        x = net.upsample(x, side // before)
    return net.norm(net.conv(x, channels, 1, name="widen"), name="widen_norm")


def _spine(
    net: Net,
    _: Tensor | None,
    blocks: Sequence[PermutedBlock],
    levels: Sequence[int],
    permutation: Sequence[int],
    shifts: Sequence[int],
    order: Sequence[int],
    width: float,
    repeats: int,
    alpha: float,
    stem_filters: int,
    activation: ActivationKind,
    size: int,
    channels: int,
) -> tuple[Tensor, ...]:
    check_resolution(size)
    stem, plans = block_plans(blocks, levels, permutation, shifts, order, width)
    x = net.input((size, size, channels))
    x = net.activation(net.norm(net.conv(x, stem_filters, 7, stride=2)), activation)
    x = net.pool(x, "max", 3, stride=2)
    return scale_permuted(net, x, stem, plans, _Style(repeats, alpha, activation), size)
