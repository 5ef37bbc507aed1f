"""BiFPN: a pyramid that runs from coarse to fine and back, stacked (Tan, Pang and Le 2020, EfficientDet).

Biases, norms and pooling follow google/automl efficientdet. Maps are summed without learned weights, as EfficientDet-D6
and -D7 do; the others have two or three scalars at each sum, which do not show in their counts.
"""

from __future__ import annotations

from autoglyph.search_spaces.blocks.feature_pyramid import BACKBONE_LEVELS, LEVELS, Pyramid
from autoglyph.search_spaces.net import Net, Tensor


class BiFpn(Pyramid):
    """Stacked bidirectional pyramids.

    Attributes:
        stacks: how often the pyramid is repeated.
    """

    stacks: int = 3

    def build(self, net: Net, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """P3 to P7 from C3 to C5, each (side, side, filters)."""
        return self.stages(net, maps)[-1]

    def stages(self, net: Net, maps: tuple[Tensor, ...]) -> list[tuple[Tensor, ...]]:
        """P3 to P7 behind each of the stacked pyramids."""
        levels = [*maps]
        for level in LEVELS[len(BACKBONE_LEVELS) :]:
            with net.scope(f"coarser{level}"):
                levels.append(net.pool(_projected(net, levels[-1], self.filters), "max", 3, stride=2))
        stages = [tuple(levels)]
        for n in range(1, self.stacks + 1):
            stages.append(net.block(f"stack{n}", bidirectional_pyramid, stages[-1], self.filters))
        return stages[1:]


def bidirectional_pyramid(net: Net, maps: tuple[Tensor, ...], filters: int) -> tuple[Tensor, ...]:
    """One pyramid: each level merged with the coarser one, then with the finer one and its own input.

    Args:
        net: what reads it.
        maps: of P3 to P7, of any channels.
        filters: channels of its outputs.
    """
    last = len(maps) - 1
    down = {last: maps[last]}
    for i in range(last - 1, -1, -1):
        with net.scope(f"down{LEVELS[i]}"):
            coarser = down[i + 1] if i + 1 < last else _projected(net, maps[last], filters, "coarser")
            down[i] = _merge(net, [_projected(net, maps[i], filters), net.upsample(coarser, 2)], filters)
    outputs = [down[0]]
    for i in range(1, last + 1):
        with net.scope(f"up{LEVELS[i]}"):
            parts = [_projected(net, maps[i], filters), *([down[i]] if i < last else [])]
            outputs.append(_merge(net, [*parts, net.pool(outputs[-1], "max", 3, stride=2)], filters))
    return tuple(outputs)


def _projected(net: Net, x: Tensor, filters: int, name: str = "lateral") -> Tensor:
    if x.channels == filters:
        return x
    return net.norm(net.conv(x, filters, 1, use_bias=True, name=name), name=f"{name}_norm")


def _merge(net: Net, parts: list[Tensor], filters: int) -> Tensor:
    x = net.activation(net.add(*parts), "swish")
    return net.norm(net.conv(net.depthwise_conv(x, 3), filters, 1, use_bias=True))
