"""Feature pyramids and scale-permuted networks as drawings: maps by level, who reads whom, outputs ringed.

As in the figures of NAS-FPN and SpineNet, levels go from fine, below, to coarse, above, and blocks from left to right
in the order they run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoglyph.experiments.pictures.pareto_front import replaced_file
from autoglyph.search_spaces.architectures.spinenet import STEM_BLOCKS, SpineNet, block_plans
from autoglyph.search_spaces.blocks import nas_fpn, scale_permuted
from autoglyph.search_spaces.blocks.feature_pyramid import LEVELS
from autoglyph.search_spaces.blocks.nas_fpn import NasFpn

PICTURES = (".png", ".svg", ".pdf")
LOOKS: Mapping[str, tuple[str, str]] = {
    "input": ("#999999", "input"),
    "stem": ("#999999", "stem"),
    "sum": ("#0072B2", "sum"),
    "attention": ("#D55E00", "global-pool attention"),
    "bottleneck": ("#0072B2", "bottleneck"),
    "residual": ("#D55E00", "basic block"),
}
"""Colour and name by kind; colours of Okabe and Ito 2008, which colour-blind readers tell apart."""


@dataclass(frozen=True)
class LevelNode:
    """A map with its place.

    Attributes:
        name: short, unique within the drawing but for outputs that have the name of an input.
        kind: a key of `LOOKS`.
        level: its resolution is that of the image by 2^level.
        column: when it is made; inputs stand in one column.
        inputs: numbers of the nodes it reads.
        unread: numbers of further nodes that are added because no node before reads them.
        is_output: whether detection reads it.
    """

    name: str
    kind: str
    level: int
    column: int
    inputs: tuple[int, ...] = ()
    unread: tuple[int, ...] = ()
    is_output: bool = False


def level_nodes(part: NasFpn | SpineNet) -> list[LevelNode]:
    """The maps of one pyramid of merging cells, or the blocks of a scale-permuted network."""
    return _pyramid(part) if isinstance(part, NasFpn) else _spine(part)


def _pyramid(pyramid: NasFpn) -> list[LevelNode]:
    plan = pyramid.plan()
    nodes = [LevelNode(f"P{level}", "input", level, 0) for level in LEVELS]
    for at, ((first, second, op, level), unread) in enumerate(
        zip(plan, nas_fpn.unread_joined(plan), strict=True), start=1
    ):
        is_output = at > len(plan) - len(LEVELS)
        name = f"P{level}" if is_output else f"m{at}"
        nodes.append(LevelNode(name, op, level, at, (first, second), unread, is_output))
    return nodes


def _spine(network: SpineNet) -> list[LevelNode]:
    stem, blocks = block_plans(
        network.blocks, network.levels, network.permutation, network.shifts, network.order, network.width
    )
    plans = [*stem, *blocks]
    nodes: list[LevelNode] = []
    for i, (plan, unread) in enumerate(zip(plans, scale_permuted.unread_joined(plans), strict=True)):
        inputs = plan.inputs if i >= STEM_BLOCKS else tuple(range(max(0, i - 1), i))
        kind = plan.kind if i >= STEM_BLOCKS else "stem"
        is_output = i >= len(plans) - len(LEVELS)
        nodes.append(LevelNode(str(i), kind, plan.level, i, inputs, unread, is_output))
    return nodes


def level_text(nodes: Sequence[LevelNode]) -> list[str]:
    """The nodes in words, a line for each that reads others; outputs are marked by a prime."""
    names = [f"{node.name}'" if node.is_output else node.name for node in nodes]
    return [
        f"{names[i]} (level {node.level}) = {node.kind}({', '.join(names[j] for j in node.inputs)})"
        + "".join(f" + {names[j]}" for j in node.unread)
        for i, node in enumerate(nodes)
        if node.inputs
    ]


def draw_levels(nodes: Sequence[LevelNode], title: str, path: Path) -> Path:
    """Draws the nodes.

    Args:
        nodes: of `level_nodes`.
        title: of the drawing.
        path: file to write, which ends in .png, .svg or .pdf; replaced whole or not at all.

    Raises:
        ValueError: if the suffix is another one.
    """
    check_picture(path)
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    levels = range(min(node.level for node in nodes), max(node.level for node in nodes) + 1)
    columns = max(node.column for node in nodes) + 1
    figure = Figure(figsize=(1.6 + 0.9 * columns, 1.5 + 0.65 * len(levels)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for level in levels:
        axes.axhline(level, color="#EEEEEE", linewidth=6, zorder=0)
    for node in nodes:
        for sources, style in ((node.inputs, "solid"), (node.unread, "dashed")):
            for source in sources:
                _arrow(axes, nodes[source], node, style)
    for node in nodes:
        ring: dict[str, Any] = {"edgecolors": "black", "linewidths": 2.2} if node.is_output else {"edgecolors": "none"}
        axes.scatter([node.column], [node.level], s=330, color=LOOKS[node.kind][0], zorder=3, **ring)
        axes.text(node.column, node.level, node.name, ha="center", va="center", color="white", fontsize=8, zorder=4)
    axes.set_xlim(-0.6, columns - 0.4)
    axes.set_ylim(levels[0] - 0.6, levels[-1] + 0.8)
    axes.set_xticks([])
    axes.set_yticks([*levels], [f"level {level}\n1/{2**level}" for level in levels], fontsize=8)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(title, loc="left", fontsize=10)
    _explain(axes, nodes)
    with replaced_file(path) as temporary:
        figure.savefig(temporary, format=path.suffix[1:], dpi=120, metadata=_without_date(path))
    return path


def check_picture(path: Path) -> None:
    """Refuses a file name by which no format is known.

    Raises:
        ValueError: if its suffix is none of `PICTURES`.
    """
    if path.suffix not in PICTURES:
        raise ValueError(f"Cannot draw a picture as {path.name!r}: end its name in .png, .svg or .pdf.")


def _arrow(axes: Any, start: LevelNode, end: LevelNode, style: str) -> None:
    """Curved where it is long, so that it does not run through the nodes between."""
    distance = end.column - start.column
    bend = 0.0 if distance <= 1 else min(0.25, 0.7 / distance) if start.level == end.level else 0.06
    axes.annotate(
        "",
        xy=(end.column, end.level),
        xytext=(start.column, start.level),
        zorder=2,
        arrowprops={
            "arrowstyle": "-|>",
            "color": "#555555",
            "linewidth": 1.1,
            "linestyle": style,
            "shrinkA": 9,
            "shrinkB": 10,
            "connectionstyle": f"arc3,rad={-bend}",
        },
    )


def _explain(axes: Any, nodes: Sequence[LevelNode]) -> None:
    for kind in dict.fromkeys(node.kind for node in nodes):
        colour, name = LOOKS[kind]
        axes.scatter([], [], s=90, color=colour, label=name)
    axes.scatter([], [], s=90, color="white", edgecolors="black", linewidths=2.2, label="output")
    if any(node.unread for node in nodes):
        axes.plot([], [], color="#555555", linewidth=1.1, linestyle="dashed", label="added, not read before")
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.01), ncols=5, fontsize=8)


def _without_date(path: Path) -> dict[str, Any] | None:
    """Files of equal drawings are equal whenever they are drawn."""
    return {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix)
