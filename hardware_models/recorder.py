"""A reading of the architecture language that records operations and fuses them to kernels.

Segments and blocks are fused by themselves: no kernel crosses their borders, so what one costs is the same
wherever it stands, and costs can be tabulated.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

from autoglyph.hardware_models.fusion import Fusion, Inner, Piece, Placed, Step, fuse
from autoglyph.hardware_models.kernels import work
from autoglyph.search_spaces.architecture import Segment
from autoglyph.search_spaces.net import Net, Tensor
from autoglyph.search_spaces.ops import Op, Shape

BlockKey = tuple[Any, ...]


class ReadBlock(NamedTuple):
    """A block that was read once.

    Attributes:
        piece: its kernels.
        output: shape of its output.
        returns_input: whether that is its input, maybe under another shape.
    """

    piece: Piece
    output: Shape
    returns_input: bool = False


class Reading(NamedTuple):
    """What a segment does.

    Attributes:
        pieces: its kernels, in the order they run.
        output: shape of its output.
    """

    pieces: list[Placed]
    output: Shape


class Recorder(Net):
    """Records one part of a network as a list of operations.

    Args:
        regime: fusion regime.
        blocks: blocks read so far under this regime; the recorder adds to it.
    """

    def __init__(self, regime: Fusion, blocks: dict[BlockKey, ReadBlock]) -> None:
        super().__init__()
        self._regime: Fusion = regime
        self._blocks = blocks
        self._steps: list[Step | Inner] = []
        self._elements: list[int] = []

    def tensor(self, shape: Shape) -> Tensor:
        """A value that this part finds or makes."""
        self._elements.append(math.prod(shape))
        return Tensor(shape, len(self._elements) - 1)

    def apply(self, op: Op, *inputs: Tensor) -> Tensor:
        """Records the operation; one that does nothing in inference leaves no trace."""
        done = work(op, *[x.shape for x in inputs])
        if done.role == "identity":
            return Tensor(done.output, inputs[0].value) if inputs else self.tensor(done.output)
        self._elements.append(done.elements)
        output = len(self._elements) - 1
        self._steps.append(Step(self.full_name(op), done, tuple([x.value for x in inputs]), output))
        return Tensor(done.output, output)

    def block(self, name: str, build: Callable[..., Tensor], x: Tensor, *settings: Hashable) -> Tensor:
        """Records a block, read only if no equal one was."""
        key = (build, x.shape, *settings)
        block = self._blocks.get(key)
        if block is None:
            block = self._blocks[key] = self._read(build, x.shape, settings)
        if block.returns_input:
            return Tensor(block.output, x.value)
        output = self.tensor(block.output)
        self._steps.append(Inner("_".join([*self._scopes, name]), block.piece, (x.value,), output.value))
        return output

    def _read(self, build: Callable[..., Tensor], shape: Shape, settings: Sequence[Hashable]) -> ReadBlock:
        inner = Recorder(self._regime, self._blocks)
        x = inner.tensor(shape)
        output = build(inner, x, *settings)
        if output.value == x.value:
            return ReadBlock(Piece(()), output.shape, returns_input=True)
        kernels = itertools.chain.from_iterable(placed.kernels() for placed in inner.fused(output))
        return ReadBlock(Piece(tuple(kernels)), output.shape)

    def fused(self, *outputs: Tensor) -> list[Placed]:
        """The kernels of what was recorded, given the tensors that are used outside."""
        return fuse(self._steps, self._elements, [output.value for output in outputs], self._regime)


def read_segment(
    segment: Segment,
    parts: Sequence[Any],
    input_shape: Shape | None,
    regime: Fusion,
    blocks: dict[BlockKey, ReadBlock],
) -> Reading:
    """Reads one segment.

    Args:
        segment: what to read.
        parts: values of the symbolic parts it names.
        input_shape: shape of its input, None for the first segment.
        regime: fusion regime.
        blocks: blocks read so far under this regime; new ones are added.
    """
    recorder = Recorder(regime, blocks)
    x = None if input_shape is None else recorder.tensor(input_shape)
    with recorder.scope(segment.name):
        output = segment.build(recorder, x, *parts)
    return Reading(recorder.fused(output), output.shape)
