"""Scale-permuted networks: blocks of any level in any order, each on two earlier ones (Du et al. 2020, SpineNet).

What the paper leaves open follows tensorflow/tpu models/official/detection/modeling/architecture/spinenet.py: a
block that no other reads joins the output of its level, if it has as many channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from autoglyph.search_spaces.blocks.feature_pyramid import LEVELS
from autoglyph.search_spaces.net import Net, Tensor
from autoglyph.search_spaces.ops import ActivationKind

OUTPUTS = len(LEVELS)


class BlockPlan(NamedTuple):
    """A block of a scale-permuted network.

    Attributes:
        inputs: numbers of the two blocks it reads; those of the stem come first. Empty for a block of the stem.
        level: its resolution is that of the image by 2^level.
        kind: of its layers.
        filters: of its layers, before any expansion.
        channels: of its output.
    """

    inputs: tuple[int, ...]
    level: int
    kind: str
    filters: int
    channels: int


class Style(Protocol):
    """The layers of which blocks and connections consist."""

    @property
    def activation(self) -> ActivationKind:
        """Behind the sum of the inputs of a block."""
        ...

    def block(self, net: Net, x: Tensor, plan: BlockPlan) -> Tensor:
        """The layers of a block behind its sum."""
        ...

    def resample(self, net: Net, x: Tensor, source: BlockPlan, side: int, target: BlockPlan, name: str) -> Tensor:
        """The output of one block as input of another one, (side, side, channels of the target)."""
        ...


def scale_permuted(
    net: Net, x: Tensor, stem: Sequence[BlockPlan], blocks: Sequence[BlockPlan], style: Style, resolution: int
) -> tuple[Tensor, ...]:
    """The blocks of a network; those that reach no output are left out.

    Args:
        net: what reads it.
        x: what the stem's convolutions make of the image.
        stem: its blocks, each on the one before.
        blocks: in the order they run; the last five are the outputs, one of each level.
        style: layers of blocks and connections.
        resolution: side of the image, pixels.

    Returns:
        P3 to P7, of different channels.
    """
    plans = [*stem, *blocks]
    joined = unread_joined(plans)
    alive = _alive(plans, joined, len(stem))
    made: dict[int, Tensor] = {}
    for i, plan in enumerate(plans):
        if i not in alive:
            continue
        with net.scope(f"block{i}"):
            if i < len(stem):
                x = made[i] = style.block(net, x, plan)
                continue
            side = resolution >> plan.level
            parents = [
                style.resample(net, made[source], plans[source], side, plan, name)
                for source, name in zip(plan.inputs, ("left", "right"), strict=True)
            ]
            total = net.add(*parents, *(made[source] for source in joined[i]), name="sum")
            made[i] = style.block(net, net.activation(total, style.activation), plan)
    level_of = {plans[i].level: made[i] for i in range(len(plans) - OUTPUTS, len(plans))}
    return tuple(level_of[level] for level in LEVELS)


def unread_joined(plans: Sequence[BlockPlan]) -> list[tuple[int, ...]]:
    """For each block the earlier ones that no block read so far and that join its sum as they are."""
    is_read = [False] * len(plans)
    joined: list[tuple[int, ...]] = []
    for i, plan in enumerate(plans):
        for source in plan.inputs:
            is_read[source] = True
        found: list[int] = []
        if i >= len(plans) - OUTPUTS:
            for j, other in enumerate(plans[:i]):
                if not is_read[j] and (other.level, other.channels) == (plan.level, plan.channels):
                    found.append(j)
                    is_read[j] = True
        joined.append(tuple(found))
    return joined


def _alive(plans: Sequence[BlockPlan], joined: Sequence[tuple[int, ...]], stem: int) -> set[int]:
    alive = {*range(len(plans) - OUTPUTS, len(plans))}
    for i in range(len(plans) - 1, -1, -1):
        if i in alive:
            alive.update(plans[i].inputs, joined[i])
            if 0 < i < stem:
                alive.add(i - 1)
    return alive


def check_inputs(inputs: Sequence[int], number: int) -> tuple[int, int]:
    """Two inputs of a block as plain values.

    Args:
        inputs: numbers of blocks.
        number: of the block that reads them.

    Raises:
        ValueError: if they are not two different earlier ones.
    """
    first, second = (int(i) for i in inputs)
    if first == second or not 0 <= min(first, second) <= max(first, second) < number:
        raise ValueError(f"Block {number} reads {first} and {second}: give two different blocks before it.")
    return first, second


def check_order(order: Sequence[int]) -> list[int]:
    """Levels of the outputs as plain values.

    Raises:
        ValueError: if they are no permutation of 3 to 7.
    """
    levels = [int(level) for level in order]
    if sorted(levels) != [*LEVELS]:
        raise ValueError(f"The outputs have levels {levels}: give a permutation of {[*LEVELS]}.")
    return levels
