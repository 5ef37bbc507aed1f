"""Feature pyramids for detection: maps of one width at five levels, and the plain top-down pyramid (FPN).

Level l has 1 / 2^l of the side of the image. Lin et al. 2017 (FPN; RetinaNet, which adds P6 and P7). Biases and
norms follow tensorflow/tpu models/official/detection, by which the published parameter counts come out.
"""

from __future__ import annotations

import abc

import pyglove as pg

from autoglyph.search_spaces.net import Net, Tensor

LEVELS = (3, 4, 5, 6, 7)
BACKBONE_LEVELS = (3, 4, 5)
MULTIPLE = 2 ** LEVELS[-1]
"""Sides of images are multiples of this, so that maps of all levels nest."""


def check_resolution(resolution: int) -> None:
    """Refuses images whose levels do not nest.

    Raises:
        ValueError: if the side is no multiple of `MULTIPLE`.
    """
    if resolution < MULTIPLE or resolution % MULTIPLE:
        raise ValueError(
            f"A pyramid of levels {LEVELS[0]} to {LEVELS[-1]} takes images whose side is a multiple of {MULTIPLE}, "
            f"not {resolution}: give {max(MULTIPLE, round(resolution / MULTIPLE) * MULTIPLE)}."
        )


def resample(net: Net, x: Tensor, level: int, target: int, *, name: str) -> Tensor:
    """A map of one level at the size of another: max pooling down, nearest neighbours up."""
    if target > level:
        return net.pool(x, "max", 2 ** (target - level), stride=2 ** (target - level), name=name)
    return x if target == level else net.upsample(x, 2 ** (level - target), name=name)


class Pyramid(pg.Object, abc.ABC):
    """What makes P3 to P7 of the last maps of a backbone.

    Attributes:
        filters: channels of all levels.
    """

    filters: int = 256

    @abc.abstractmethod
    def build(self, net: Net, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """P3 to P7, each (side, side, filters)."""

    def stages(self, net: Net, maps: tuple[Tensor, ...]) -> list[tuple[Tensor, ...]]:
        """P3 to P7 of each part behind which detection may leave; the last is what `build` returns."""
        return [self.build(net, maps)]


class Fpn(Pyramid):
    """The plain feature pyramid of RetinaNet."""

    def build(self, net: Net, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """P3 to P7 from C3 to C5, each (side, side, filters)."""
        merged: list[Tensor] = []
        for level, x in reversed([*zip(BACKBONE_LEVELS, maps, strict=True)]):
            x = net.conv(x, self.filters, 1, use_bias=True, name=f"lateral{level}")
            if merged:
                coarser = resample(net, merged[-1], level + 1, level, name=f"up{level}")
                x = net.add(x, coarser, name=f"add{level}")
            merged.append(x)
        levels = [
            net.conv(x, self.filters, 3, use_bias=True, name=f"smooth{level}")
            for level, x in zip(BACKBONE_LEVELS, reversed(merged), strict=True)
        ]
        for level in LEVELS[len(levels) :]:
            x = net.activation(levels[-1], "relu", name=f"relu{level}") if len(levels) > len(maps) else levels[-1]
            levels.append(net.conv(x, self.filters, 3, stride=2, use_bias=True, name=f"coarser{level}"))
        return tuple(net.norm(x, name=f"norm{level}") for level, x in zip(LEVELS, levels, strict=True))
