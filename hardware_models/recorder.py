"""A reading of the architecture language that records operations and fuses them to kernels.

Segments and blocks are fused by themselves: no kernel crosses their borders, so what one costs is the same
wherever it stands, and costs can be tabulated.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple, cast, overload

from autoglyph.hardware_models.fusion import Fusion, Inner, Piece, Placed, Step, fuse
from autoglyph.hardware_models.kernels import Work, work
from autoglyph.search_spaces.architecture import Segment
from autoglyph.search_spaces.net import Net, Shapes, Tensor, Tensors, is_one, several, shapes_of
from autoglyph.search_spaces.ops import Op, Shape

BlockKey = tuple[Any, ...]


class ReadBlock(NamedTuple):
    """A block that was read once.

    Attributes:
        piece: its kernels.
        shapes: of its outputs.
        returned: for each output, which of the inputs it is, maybe under another shape; -1 if the block makes it.
    """

    piece: Piece
    shapes: tuple[Shape, ...]
    returned: tuple[int, ...]


class Reading(NamedTuple):
    """What a segment does.

    Attributes:
        pieces: its kernels, in the order they run.
        output: shape of its output, or shapes.
    """

    pieces: list[Placed]
    output: Shapes


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
        self._shared: dict[str, int] = {}
        self._elements: list[int] = []

    def tensor(self, shape: Shape) -> Tensor:
        """A value that this part finds or makes."""
        self._elements.append(math.prod(shape))
        return Tensor(shape, len(self._elements) - 1)

    def tensors(self, shapes: Shapes) -> Tensors:
        """Values that this part finds, one for a shape and a tuple for several."""
        if is_one(shapes):
            return self.tensor(shapes)
        return tuple(self.tensor(cast(Shape, shape)) for shape in shapes)

    def apply(self, op: Op, *inputs: Tensor) -> Tensor:
        """Records the operation; one that does nothing in inference leaves no trace."""
        done = work(op, *[x.shape for x in inputs])
        if done.role == "identity":
            return Tensor(done.output, inputs[0].value) if inputs else self.tensor(done.output)
        if self._is_shared:
            done = self._counted_once(op, done)
        self._elements.append(done.elements)
        output = len(self._elements) - 1
        self._steps.append(Step(self.full_name(op), done, tuple([x.value for x in inputs]), output))
        return Tensor(done.output, output)

    def _counted_once(self, op: Op, done: Work) -> Work:
        """The work of a shared operation: its weights are read at the first use and stay on the chip."""
        name = self.full_name(op)
        if name not in self._shared:
            self._shared[name] = done.weight_elements
            return done
        if self._shared[name] != done.weight_elements:
            raise ValueError(
                f"{name}: shared weights of {self._shared[name]} elements are used where {done.weight_elements} "
                "are needed; give the shared operation inputs of equal channels."
            )
        return done._replace(parameters=0, weight_elements=0)

    @overload
    def block(self, name: str, build: Callable[..., Tensor], x: Tensor, *settings: Hashable) -> Tensor: ...

    @overload
    def block(
        self, name: str, build: Callable[..., tuple[Tensor, ...]], x: tuple[Tensor, ...], *settings: Hashable
    ) -> tuple[Tensor, ...]: ...

    def block(self, name: str, build: Callable[..., Tensors], x: Tensors, *settings: Hashable) -> Tensors:
        """Records a block, read only if no equal one was."""
        self._refuse_shared(name)
        shapes = shapes_of(x)
        key = (build, shapes, *settings)
        block = self._blocks.get(key)
        if block is None:
            block = self._blocks[key] = self._read(build, shapes, settings)
        values = tuple([tensor.value for tensor in several(x)])
        outputs = tuple(
            [
                self.tensor(shape) if source < 0 else Tensor(shape, values[source])
                for shape, source in zip(block.shapes, block.returned, strict=True)
            ]
        )
        made = tuple([out.value for out, source in zip(outputs, block.returned, strict=True) if source < 0])
        if made:
            self._steps.append(Inner("_".join([*self._scopes, name]), block.piece, values, made))
        return outputs[0] if isinstance(x, Tensor) else outputs

    def _read(self, build: Callable[..., Tensors], shapes: Shapes, settings: Sequence[Hashable]) -> ReadBlock:
        inner = Recorder(self._regime, self._blocks)
        x = inner.tensors(shapes)
        source_of = {tensor.value: i for i, tensor in enumerate(several(x))}
        outputs = several(build(inner, x, *settings))
        returned = tuple(source_of.get(output.value, -1) for output in outputs)
        kernels = itertools.chain.from_iterable(placed.kernels() for placed in inner.fused(*outputs))
        return ReadBlock(Piece(tuple(kernels)), tuple(output.shape for output in outputs), returned)

    def fused(self, *outputs: Tensor) -> list[Placed]:
        """The kernels of what was recorded, given the tensors that are used outside."""
        return fuse(self._steps, self._elements, [output.value for output in outputs], self._regime)


def read_segment(
    segment: Segment,
    parts: Sequence[Any],
    input_shape: Shapes | None,
    regime: Fusion,
    blocks: dict[BlockKey, ReadBlock],
) -> Reading:
    """Reads one segment.

    Args:
        segment: what to read.
        parts: values of the symbolic parts it names.
        input_shape: shape of its input, or shapes; None for the first segment.
        regime: fusion regime.
        blocks: blocks read so far under this regime; new ones are added.
    """
    recorder = Recorder(regime, blocks)
    x = None if input_shape is None else recorder.tensors(input_shape)
    with recorder.scope(segment.name):
        output = segment.build(recorder, x, *parts)
    return Reading(recorder.fused(*several(output)), shapes_of(output))
