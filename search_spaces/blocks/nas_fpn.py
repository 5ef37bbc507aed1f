"""NAS-FPN: a pyramid of merging cells, stacked (Ghiasi, Lin and Le 2019).

A cell merges two maps at a level; the maps of the last five cells are P3 to P7. Details that the paper leaves
open follow tensorflow/tpu models/official/detection/modeling/architecture/nasfpn.py: what is resampled how, that
maps which no cell reads are added to the output of their level, biases and norms.
"""

from __future__ import annotations

from typing import Literal

import pyglove as pg

from autoglyph.search_spaces.blocks.feature_pyramid import BACKBONE_LEVELS, LEVELS, Pyramid, resample
from autoglyph.search_spaces.net import Net, Tensor
from autoglyph.search_spaces.ops import ActivationKind

MergeOp = Literal["sum", "attention"]
CellPlan = tuple[int, int, MergeOp, int]
"""Two inputs, operation and level of a merging cell."""


class Merge(pg.Object):
    """Two maps made one.

    Attributes:
        inputs: two different numbers of maps: 0 to 4 are the inputs P3 to P7, 5 + i is the output of cell i.
        op: "sum", or "attention": the coarser map plus the finer one times a gate, the sigmoid of the coarser
            one's greatest value of each channel.
    """

    inputs: list[int]
    op: MergeOp


class NasFpn(Pyramid):
    """A stack of equal pyramids of merging cells.

    Attributes:
        merges: the cells of one pyramid; the last five are its outputs.
        levels: of the cells before those.
        order: levels of the outputs, a permutation of 3 to 7.
        stacks: how often the pyramid is repeated, each with weights of its own. The pyramid is an anytime one:
            detection may leave after any of them.
        activation: before the convolution of a cell.
    """

    merges: list[Merge]
    levels: list[int]
    order: list[int]
    stacks: int = 7
    activation: ActivationKind = "relu"

    def plan(self) -> tuple[CellPlan, ...]:
        """The cells as plain values.

        Raises:
            ValueError: if cells, levels and order do not fit together.
        """
        order = [int(level) for level in self.order]
        if sorted(order) != [*LEVELS] or len(self.merges) != len(self.levels) + len(order):
            raise ValueError(
                f"{len(self.merges)} merging cells have {len(self.levels)} levels and an output order of {order}: "
                f"give a level for each cell but the last {len(LEVELS)}, and a permutation of {[*LEVELS]}."
            )
        cells: list[CellPlan] = []
        for at, (merge, level) in enumerate(zip(self.merges, [*self.levels, *order], strict=True)):
            first, second = (int(i) for i in merge.inputs)
            if first == second or not 0 <= min(first, second) <= max(first, second) < len(LEVELS) + at:
                raise ValueError(
                    f"Merging cell {at + 1} reads maps {first} and {second}: give two different ones below "
                    f"{len(LEVELS) + at}."
                )
            cells.append((first, second, merge.op, int(level)))
        return tuple(cells)

    def build(self, net: Net, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """P3 to P7 from C3 to C5, each (side, side, filters)."""
        return self.stages(net, maps)[-1]

    def stages(self, net: Net, maps: tuple[Tensor, ...]) -> list[tuple[Tensor, ...]]:
        """P3 to P7 behind each of the stacked pyramids."""
        levels = [_projected(net, x, self.filters, level) for level, x in zip(BACKBONE_LEVELS, maps, strict=True)]
        for level in LEVELS[len(levels) :]:
            levels.append(resample(net, levels[-1], level - 1, level, name=f"coarser{level}"))
        plan = self.plan()
        outputs = [tuple(levels)]
        for n in range(1, self.stacks + 1):
            outputs.append(net.block(f"stack{n}", merging_pyramid, outputs[-1], plan, self.filters, self.activation))
        return outputs[1:]


def _projected(net: Net, x: Tensor, filters: int, level: int) -> Tensor:
    if x.channels == filters:
        return x
    x = net.conv(x, filters, 1, use_bias=True, name=f"lateral{level}")
    return net.norm(x, name=f"lateral{level}_norm")


def merging_pyramid(
    net: Net, maps: tuple[Tensor, ...], plan: tuple[CellPlan, ...], filters: int, activation: ActivationKind
) -> tuple[Tensor, ...]:
    """One pyramid of merging cells.

    Args:
        net: what reads it.
        maps: P3 to P7, each (side, side, filters).
        plan: its cells.
        filters: channels of its outputs.
        activation: before the convolution of a cell.

    Returns:
        P3 to P7.
    """
    nodes, levels = [*maps], [*LEVELS]
    joined = unread_joined(plan)
    for at, (first, second, op, level) in enumerate(plan, start=1):
        with net.scope(f"cell{at}"):
            left = resample(net, nodes[first], levels[first], level, name="left")
            right = resample(net, nodes[second], levels[second], level, name="right")
            if op == "attention":
                coarse, fine = (left, right) if levels[first] >= levels[second] else (right, left)
                gate = net.activation(net.global_pool(coarse, "max", keep_dimensions=True), "sigmoid", name="gate")
                left, right = coarse, net.multiply(fine, gate)
            x = net.activation(net.add(left, right, *(nodes[i] for i in joined[at - 1])), activation)
            nodes.append(net.norm(net.conv(x, filters, 3, use_bias=True)))
            levels.append(level)
    made = dict(zip(levels[-len(LEVELS) :], nodes[-len(LEVELS) :], strict=True))
    return tuple(made[level] for level in LEVELS)


def unread_joined(plan: tuple[CellPlan, ...]) -> list[tuple[int, ...]]:
    """For each cell the maps that are added to its own: those of its level, if it is an output, that none read yet."""
    levels, is_read = [*LEVELS], [False] * len(LEVELS)
    joined: list[tuple[int, ...]] = []
    for at, (first, second, _, level) in enumerate(plan, start=1):
        is_read[first] = is_read[second] = True
        found: tuple[int, ...] = ()
        if at > len(plan) - len(LEVELS):
            found = tuple(i for i, other in enumerate(levels) if other == level and not is_read[i])
        for i in found:
            is_read[i] = True
        joined.append(found)
        levels.append(level)
        is_read.append(False)
    return joined
