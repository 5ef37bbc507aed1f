"""Blocks and cells of the Evolved Transformer's search space (So, Liang and Le 2019, section 3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import pyglove as pg

from autoglyph.search_spaces.blocks.et_layers import (
    DEAD,
    DECODER_LAYERS,
    IDENTITY,
    Surroundings,
    keeps_channels,
)
from autoglyph.search_spaces.net import Net, Tensor
from autoglyph.search_spaces.ops_sequence import PadChannels

Norm = Literal["layer_norm", "none"]
BranchActivation = Literal["swish", "relu", "leaky_relu", "none"]
Combiner = Literal["add", "concat", "multiply"]


class Branch(pg.Object):
    """Half of a block: norm, layer and activation on one hidden state.

    Attributes:
        input: number of the hidden state it reads; 0 is the input of the cell, i the output of block i.
        norm: before the layer.
        layer: a name of `DECODER_LAYERS`.
        size: relative output dimension, 1 to 10.
        activation: behind the layer.
    """

    input: int
    norm: Norm
    layer: str
    size: int
    activation: BranchActivation


class Block(pg.Object):
    """Two branches and how they are joined.

    Attributes:
        left: one branch.
        right: the other one.
        combiner: "add" and "multiply" fill the narrower one with 0 or 1, "concat" puts one behind the other; a
            dead branch leaves the other one alone.
    """

    left: Branch
    right: Branch
    combiner: Combiner


Width = Callable[[int], int]
"""Relative output dimension -> channels."""


def cell(net: Net, x: Tensor, blocks: Sequence[Block], width: Width, around: Surroundings) -> Tensor:
    """One cell: its blocks in order, and the sum of all hidden states that no branch reads.

    A hidden state is normalised at most once, by weights that all branches on it share.

    Args:
        net: what reads it.
        x: (length, channels), hidden state 0.
        blocks: of the cell.
        width: channels of a relative output dimension.
        around: what layers need beside their input.

    Raises:
        ValueError: if both branches of a block are dead, or a layer does not fit.
    """
    states = [x]
    normed: dict[int, Tensor] = {}
    for i, block in enumerate(blocks, 1):
        with net.scope(f"block{i}"):
            sides = (("left", block.left), ("right", block.right))
            alive = [(side, branch) for side, branch in sides if branch.layer != DEAD]
            if not alive:
                raise ValueError(f"Both branches of block {i} are dead: give one of them a layer.")
            outputs = [_branch(net, side, branch, states, normed, width, around) for side, branch in alive]
            states.append(join(net, outputs, block.combiner))
            if states[-1].channels > around.widest:
                raise ValueError(
                    f"Block {i} puts out {states[-1].channels} channels, more than {around.widest}: "
                    "concatenate less often, or lower the multiplier."
                )
    return join(net, [states[i] for i in unused(blocks)], "add")


def unused(blocks: Sequence[Block]) -> list[int]:
    """Numbers of the hidden states that no live branch reads, which together are the output of the cell."""
    branches = [branch for block in blocks for branch in (block.left, block.right)]
    read = {branch.input for branch in branches if branch.layer != DEAD}
    return [i for i in range(len(blocks) + 1) if i not in read]


def join(net: Net, parts: Sequence[Tensor], combiner: Combiner) -> Tensor:
    """Tensors of one length as one; the narrower ones of a sum or a product filled up with 0 or 1."""
    if len(parts) == 1:
        return parts[0]
    if combiner == "concat":
        return net.concat(*parts, name="concat")
    widest = max(part.channels for part in parts)
    fill = 0.0 if combiner == "add" else 1.0
    filled = [
        part
        if part.channels == widest
        else net.apply(PadChannels(name=f"fill{i}", amount=widest - part.channels, value=fill), part)
        for i, part in enumerate(parts, 1)
    ]
    return net.add(*filled, name="add") if combiner == "add" else net.multiply(*filled, name="multiply")


def _branch(
    net: Net,
    side: str,
    branch: Branch,
    states: Sequence[Tensor],
    normed: dict[int, Tensor],
    width: Width,
    around: Surroundings,
) -> Tensor:
    x = states[branch.input]
    with net.scope(side):
        if branch.norm == "layer_norm":
            if branch.input not in normed:
                normed[branch.input] = net.layer_norm(x, name="norm")
            x = normed[branch.input]
        channels = x.channels if keeps_channels(branch.layer) else width(branch.size)
        x = DECODER_LAYERS[branch.layer](net, x, channels, around)
        if branch.activation != "none":
            x = net.activation(x, branch.activation)
        return x if branch.layer == IDENTITY else net.dropout(x, around.dropout)
