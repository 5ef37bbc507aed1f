"""How wide the hidden states of many individuals are, without building any."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Cells(NamedTuple):
    """The cells of n individuals, B blocks each, left and right branch in the last dimension.

    Attributes:
        inputs: (n, B, 2) hidden state that a branch reads.
        dead: (n, B, 2) whether it is dead.
        keeping: (n, B, 2) whether its output has the channels of its input.
        channels: (n, B, 2) channels of its output otherwise.
        concat: (n, B) whether the block concatenates.
        repeats: (n,) how often the cell is repeated.
    """

    inputs: Integers
    dead: Mask
    keeping: Mask
    channels: Integers
    concat: Mask
    repeats: Integers


def widest_states(cells: Cells, dimension: int) -> NDArray[np.float64]:
    """(n,) channels of the widest output of a block, as `et_cell.cell` builds them.

    Args:
        cells: encoder's or decoder's.
        dimension: channels of the first cell's input.
    """
    individuals, blocks, _ = cells.inputs.shape
    rows = np.arange(individuals)
    reads = [(cells.inputs == state) & ~cells.dead for state in range(blocks + 1)]
    unused = np.stack([~read.any(axis=(1, 2)) for read in reads], axis=1)
    x = np.full(individuals, float(dimension))
    widest = np.zeros(individuals)
    for number in range(int(cells.repeats.max(initial=0))):
        states = np.zeros((individuals, blocks + 1))
        states[:, 0] = x
        for i in range(blocks):
            sides = [
                np.where(cells.keeping[:, i, side], states[rows, cells.inputs[:, i, side]], cells.channels[:, i, side])
                * ~cells.dead[:, i, side]
                for side in (0, 1)
            ]
            states[:, i + 1] = np.where(cells.concat[:, i], sides[0] + sides[1], np.maximum(*sides))
        running = number < cells.repeats
        widest = np.where(running, np.maximum(widest, states[:, 1:].max(axis=1)), widest)
        x = np.where(running, np.where(unused, states, 0).max(axis=1), x)
    return widest
