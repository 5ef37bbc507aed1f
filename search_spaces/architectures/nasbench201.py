"""NAS-Bench-201: one cell of four nodes and six edges, stacked in three stages for CIFAR-10.

Dong and Yang 2020. A cell string names the operation of every edge and the node it comes from, such as
"|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|skip_connect~1|nor_conv_1x1~2|".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Self, cast, get_args

from autoglyph.search_spaces.architecture import Architecture, Segment
from autoglyph.search_spaces.net import Net, Tensor

EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))  # from, to
STAGES = 3

Edge = Literal["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]


class NasBench201(Architecture):
    """A network of NAS-Bench-201.

    Attributes:
        edges: operations of the edges 0-1, 0-2, 1-2, 0-3, 1-3, 2-3 of the cell.
        cells: in a stage.
        filters: channels of the first stage; each later one has twice as many at half the resolution.
        classes: outputs of the classifier.
        channels: of the input image.
        size: side of the square input, pixels.
    """

    edges: list[Edge]
    cells: int = 5
    filters: int = 16
    classes: int = 10
    channels: int = 3
    size: int = 32

    def segments(self) -> Sequence[Segment]:
        """Stem, three stages, head."""
        stages = [Segment(f"stage{i + 1}", ("edges", "cells", "filters"), _stage(i)) for i in range(STAGES)]
        stem = Segment("stem", ("filters", "channels", "size"), _stem)
        return [stem, *stages, Segment("head", ("classes",), _head)]

    @property
    def resolution(self) -> int:
        """Side of the square input, pixels."""
        return int(self.size)

    def for_data(self, *, channels: int, classes: int) -> Self:
        """The same network with another input depth and classifier."""
        fitted: Self = self.clone(deep=True)
        fitted.rebind(channels=channels, classes=classes, raise_on_no_change=False)
        return fitted

    def proxy(self, *, resolution: int, channels: int, classes: int, width: float) -> Self:
        """The same cell in narrower stages of one cell each."""
        small: Self = self.for_data(channels=channels, classes=classes)
        filters = max(1, round(self.filters * width))
        small.rebind(size=resolution, cells=1, filters=filters, raise_on_no_change=False)
        return small


def parse(cell: str) -> list[Edge]:
    """The operations of a cell string, by `EDGES`.

    Raises:
        ValueError: if it is not a cell, or no path of operations leads through it.
    """
    edges: list[Edge] = []
    for target, node in enumerate(cell.split("+"), start=1):
        for source, edge in enumerate(node.strip("|").split("|")):
            operation, _, origin = edge.partition("~")
            if operation not in get_args(Edge) or origin != str(source) or source >= target:
                raise ValueError(f"{cell!r} is no cell of NAS-Bench-201: check {edge!r}.")
            edges.append(cast(Edge, operation))
    if len(edges) != len(EDGES):
        raise ValueError(f"{cell!r} has {len(edges)} edges; a cell of NAS-Bench-201 has {len(EDGES)}.")
    return edges


def cell_text(edges: Sequence[str]) -> str:
    """The cell string of operations by `EDGES`; the inverse of `parse`."""
    nodes = [
        "|" + "".join(f"{edges[i]}~{source}|" for i, (source, to) in enumerate(EDGES) if to == target)
        for target in range(1, 4)
    ]
    return "+".join(nodes)


def is_connected(edges: Sequence[Edge]) -> bool:
    """Whether a path of operations leads through the cell; without one the network computes a constant."""
    reached = {0}
    for (source, target), edge in zip(EDGES, edges, strict=True):
        if source in reached and edge != "none":
            reached.add(target)
    return 3 in reached


def _stem(net: Net, _: Tensor | None, filters: int, channels: int, size: int) -> Tensor:
    return net.norm(net.conv(net.input((size, size, channels)), filters, 3))


def _stage(index: int) -> Callable[..., Tensor]:
    def build(net: Net, x: Tensor, edges: Sequence[Edge], cells: int, filters: int) -> Tensor:
        width = filters * 2**index
        if index:
            x = net.block("reduction", _reduction, x, width)
        for cell in range(cells):
            x = net.block(f"cell{cell + 1}", _cell, x, tuple(edges), width)
        return x

    return build


def _relu_conv_norm(net: Net, x: Tensor, filters: int, kernel: int, stride: int) -> Tensor:
    return net.norm(net.conv(net.activation(x, "relu"), filters, kernel, stride=stride))


def _edge(net: Net, x: Tensor, edge: Edge, filters: int) -> Tensor | None:
    """What one operation makes of a node; None where it is no operation."""
    if edge == "none":
        return None
    if edge == "skip_connect":
        return x
    if edge == "avg_pool_3x3":
        return net.pool(x, "average", 3)
    return _relu_conv_norm(net, x, filters, 3 if edge == "nor_conv_3x3" else 1, 1)


def _reduction(net: Net, x: Tensor, filters: int) -> Tensor:
    with net.scope("first"):
        y = _relu_conv_norm(net, x, filters, 3, 2)
    with net.scope("second"):
        y = _relu_conv_norm(net, y, filters, 3, 1)
    shortcut = net.conv(net.pool(x, "average", 2, stride=2), filters, 1, name="shortcut")
    return net.add(shortcut, y)


def _cell(net: Net, x: Tensor, edges: Sequence[Edge], filters: int) -> Tensor:
    nodes: list[Tensor | None] = [x]
    for target in range(1, 4):
        arriving: list[Tensor] = []
        for (source, to), edge in zip(EDGES, edges, strict=True):
            start = nodes[source] if to == target else None
            if start is None:
                continue
            if (arrived := net.choose(f"edge{source}{target}", _edge, start, edge, filters)) is not None:
                arriving.append(arrived)
        several = len(arriving) > 1
        nodes.append(net.add(*arriving, name=f"node{target}") if several else arriving[0] if arriving else None)
    if nodes[-1] is None:
        raise ValueError("No path of operations leads through the cell, so the network computes a constant.")
    return nodes[-1]


def _head(net: Net, x: Tensor, classes: int) -> Tensor:
    return net.dense(net.global_pool(net.activation(net.norm(x), "relu")), classes)
