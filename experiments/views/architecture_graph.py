"""The architecture of an individual as a graph: one more reading of the architecture language, that draws nodes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autoglyph.search_spaces.architecture import Architecture
from autoglyph.search_spaces.expressions.program import Program
from autoglyph.search_spaces.expressions.tree import Tree, to_tree
from autoglyph.search_spaces.net import Net, Tensor
from autoglyph.search_spaces.ops import Op, Shape

MOST_NODES = 60


@dataclass(frozen=True)
class Node:
    """An operation, or a part that stands for many.

    Attributes:
        path: scopes from the outermost in, and the name.
        kind: name of the operation, or "part".
        detail: settings of an operation, or of what a part consists.
        shape: of its output without the batch; empty in an expression.
        operations: how many operations it stands for.
        madds: multiply-adds for one example.
        parameters: trainable weights, shared ones counted where they come first.
    """

    path: tuple[str, ...]
    kind: str
    detail: str
    shape: Shape
    operations: int
    madds: int
    parameters: int

    @property
    def name(self) -> str:
        """The path as text."""
        return "/".join(self.path)


@dataclass(frozen=True)
class Graph:
    """Nodes in the order in which they are computed, and which of them read which.

    Attributes:
        nodes: the parts.
        edges: (from, to), indices of nodes.
    """

    nodes: list[Node]
    edges: list[tuple[int, int]]


class GraphNet(Net):
    """Reads an architecture into a graph of its operations."""

    def __init__(self) -> None:
        super().__init__()
        self._weights: set[tuple[str, ...]] = set()
        self.nodes: list[Node] = []
        self.edges: list[tuple[int, int]] = []

    def apply(self, op: Op, *inputs: Tensor) -> Tensor:
        """Makes the node of one operation."""
        shapes = [x.shape for x in inputs]
        shape = op.output(*shapes)
        path = (*self._scopes, op.name)
        parameters = sum(math.prod(weight) for weight in op.weights(*shapes).values())
        if self._is_shared and path in self._weights:
            parameters = 0
        self._weights.add(path)
        settings = {f.name: getattr(op, f.name) for f in dataclasses.fields(op) if f.name != "name"}
        detail = ", ".join(f"{name} {value}" for name, value in settings.items() if value not in (1, False))
        index = len(self.nodes)
        self.nodes.append(Node(path, type(op).__name__, detail, shape, 1, op.madds(*shapes), parameters))
        self.edges += [(x.value, index) for x in dict.fromkeys(inputs)]
        return Tensor(shape, index)


def architecture_graph(architecture: Architecture) -> Graph:
    """All operations of an architecture."""
    net = GraphNet()
    architecture.build(net)
    return Graph(net.nodes, net.edges)


def expression_graph(program: Program) -> Graph:
    """The tree of an expression: operands first, the value last; equal parts are one node."""
    nodes: list[Node] = []
    edges: list[tuple[int, int]] = []
    known: dict[Tree, int] = {}

    def add(tree: Tree) -> int:
        if tree not in known:
            parts = [add(part) for part in tree[1:]]
            known[tree] = len(nodes)
            nodes.append(Node((str(tree[0]),), "operation" if parts else "operand", "", (), 1, 0, 0))
            edges.extend((part, known[tree]) for part in dict.fromkeys(parts))
        return known[tree]

    add(to_tree(program))
    return Graph(nodes, edges)


def depth_of(graph: Graph, most: int = MOST_NODES) -> int:
    """The deepest level at which a graph has no more than so many nodes, at least 1."""
    deepest = max((len(node.path) for node in graph.nodes), default=1)
    fits = [level for level in range(1, deepest + 1) if len(collapsed(graph, level).nodes) <= most]
    return max(fits, default=1)


def collapsed(graph: Graph, level: int, inside: Sequence[str] = ()) -> Graph:
    """A graph whose parts below a level are drawn together.

    Args:
        graph: of all operations.
        level: names of the path that count: 1 for the stages of a network, 2 for their blocks or cells.
        inside: only what lies under this path.
    """
    prefix = tuple(inside)
    members: dict[tuple[str, ...], list[int]] = {}
    group_of: dict[int, tuple[str, ...]] = {}
    for index, node in enumerate(graph.nodes):
        if node.path[: len(prefix)] == prefix:
            key = node.path[: max(level, len(prefix) + 1)]
            members.setdefault(key, []).append(index)
            group_of[index] = key
    numbers = {key: number for number, key in enumerate(members)}
    nodes = [_joined([graph.nodes[i] for i in indices], key) for key, indices in members.items()]
    pairs = ((group_of[a], group_of[b]) for a, b in graph.edges if a in group_of and b in group_of)
    edges = [(numbers[a], numbers[b]) for a, b in dict.fromkeys(pairs) if a != b]
    return Graph(nodes, edges)


def places(graph: Graph) -> list[tuple[float, float]]:
    """Where nodes are drawn: x from -0.5 to 0.5 times the width of the widest layer, y the layer, from 0 down."""
    layer = [0] * len(graph.nodes)
    above: list[list[int]] = [[] for _ in graph.nodes]
    for a, b in sorted(graph.edges, key=lambda edge: edge[1]):
        if a < b:
            layer[b] = max(layer[b], layer[a] + 1)
            above[b].append(a)
    rows: dict[int, list[int]] = {}
    for index, depth in enumerate(layer):
        rows.setdefault(depth, []).append(index)
    found = [(0.0, 0.0)] * len(graph.nodes)
    for depth in sorted(rows):
        middle = {i: sum(found[a][0] for a in above[i]) / max(1, len(above[i])) for i in rows[depth]}
        ordered = sorted(rows[depth], key=lambda i: (middle[i], i))
        for place, index in enumerate(ordered):
            found[index] = (place - (len(ordered) - 1) / 2, float(-depth))
    return found


def _joined(nodes: list[Node], key: tuple[str, ...]) -> Node:
    if len(nodes) == 1:
        return nodes[0]
    counts: dict[str, int] = {}
    for node in nodes:
        counts[node.kind] = counts.get(node.kind, 0) + 1
    detail = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items(), key=lambda c: -c[1])[:6])
    return Node(key, "part", detail, nodes[-1].shape, len(nodes), sum(n.madds for n in nodes),
                sum(n.parameters for n in nodes))  # fmt: skip


def formulas(individual: Any) -> dict[str, str]:
    """An expression as text and as LaTeX by these names; empty for individuals that are none."""
    from autoglyph.search_spaces.expressions.text import to_latex, to_text

    if not isinstance(individual, Program):
        return {}
    return {"text": to_text(individual), "latex": to_latex(individual)}


def formula_svg(latex: str) -> str | None:
    """A formula as an SVG of outlines, which needs no font and no network; None if it uses what cannot be drawn.

    Args:
        latex: of math mode.
    """
    import io

    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(0.01, 0.01))
    FigureCanvasSVG(figure)
    figure.text(0, 0, f"${latex}$", fontsize=16)
    drawn = io.StringIO()
    try:
        figure.savefig(drawn, format="svg", bbox_inches="tight", transparent=True, metadata={"Date": None})
    except ValueError:
        return None
    text = drawn.getvalue()
    return text[text.index("<svg") :]
