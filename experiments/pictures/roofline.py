"""The roofline of a network on a chip (Williams et al. 2009): blocks and kernels under the roofs of the device.

Every block stands at its operational intensity and attained rate, larger the more of the time it takes; its
kernels are the faint marks. Off-chip memory and the matrix units give the roof of the device; the roofs of on-chip
memory and of the vector units, under which depthwise and element-wise work runs, are dashed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autoglyph.experiments.pictures.label_places import Box
from autoglyph.experiments.pictures.pareto_front import BLUE, GREY, ORANGE, replaced_file
from autoglyph.experiments.pictures.roofline_scene import Scene, columns, labels, roof_name_ends, scene

GREEN, DARK = "#009E73", "#444444"  # the green of Okabe and Ito
_LOOKS = {"compute": (BLUE, "o", "circle"), "memory": (ORANGE, "s", "square"), "overhead": (GREEN, "^", "triangle-up")}
_X, _Y = "operational intensity (operations / byte)", "attained rate (giga-operations / s)"

# The canvas is fixed, so that labels can be placed without drawing them first. PNG: points; HTML: pixels.
_PNG, _PNG_AXES = (792.0, 492.0), Box(60, 46, 778, 446)
_HTML, _HTML_AXES = (1200.0, 760.0), Box(80, 70, 1170, 660)


def save_roofline(name: str, costs: dict[str, Any], path: str | Path) -> Path:
    """Draws the roofline into a file.

    Args:
        name: of the network.
        costs: of `replayed.workload_costs`.
        path: ends in .html (all names under the pointer), .png, .svg or .pdf.

    Raises:
        ValueError: if the path ends otherwise or its folder is missing, or if nothing does any operation.
    """
    file = Path(path)
    if file.suffix not in (".html", ".png", ".svg", ".pdf"):
        raise ValueError(f"Cannot draw to {str(path)!r}: give a file name that ends in .html, .png, .svg or .pdf.")
    drawn = scene(name, costs)
    with replaced_file(file) as temporary:
        (_save_html if file.suffix == ".html" else _save_image)(drawn, temporary)
    return file


def terminal_roofline(name: str, costs: dict[str, Any], *, width: int = 78, height: int = 18) -> str:
    """The roofline of the blocks as text, both axes logarithmic, and which letter stands for which bound.

    Args:
        name: of the network.
        costs: of `replayed.workload_costs`.
        width: characters.
        height: lines.

    Raises:
        ValueError: if nothing does any operation.
    """
    import plotext

    drawn = scene(name, costs)
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plotsize(width, height)
    plotext.xlabel(_X)
    plotext.ylabel(_Y)
    plotext.xscale("log")
    plotext.yscale("log")
    ridge, peak = drawn.ridge
    low, high = drawn.x_range
    plotext.plot([low, ridge, high], [low * peak / ridge, peak, peak], marker="·", label="roof")
    for bound, blocks in _by_bound(drawn.blocks):
        xs, ys = columns(blocks)
        plotext.scatter(xs, ys, marker=bound[0], label=f"blocks, {bound} bound")
    plotext.scatter([ridge], [peak], marker="R", label="ridge point")
    drawing: str = plotext.build()
    lines = [line.rstrip() for line in plotext.uncolorize(drawing).splitlines()]
    return "\n".join([f"Roofline of {drawn.title}", drawn.subtitle, *lines])


def _by_bound(rows: Sequence[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    found = [(bound, [row for row in rows if row["bound"] == bound]) for bound in _LOOKS]
    return [(bound, some) for bound, some in found if some]


def _save_image(drawn: Scene, file: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_PNG[0] / 72, _PNG[1] / 72))
    FigureCanvasAgg(figure)
    axes_box, size = _PNG_AXES, 7.0
    glyph = (0.56 * size, 1.25 * size)
    axes = figure.add_axes(
        (
            axes_box.left / _PNG[0],
            axes_box.bottom / _PNG[1],
            (axes_box.right - axes_box.left) / _PNG[0],
            (axes_box.top - axes_box.bottom) / _PNG[1],
        )
    )
    axes.set(xscale="log", yscale="log", xlim=drawn.x_range, ylim=drawn.y_range, xlabel=_X, ylabel=_Y)
    for roof in drawn.roofs:
        axes.plot(roof.xs, roof.ys, color=DARK if roof.main else GREY, linewidth=1.6 if roof.main else 1,
                  linestyle="-" if roof.main else "--", zorder=1)  # fmt: skip
        (x0, y0), (x1, y1) = roof_name_ends(drawn, roof, axes_box, glyph)
        axes.annotate(
            roof.name, ((x0 + x1) / 2, (y0 + y1) / 2), xycoords="figure points", ha="center", va="center",
            rotation=math.degrees(math.atan2(y1 - y0, x1 - x0)), fontsize=size, color=DARK,
        )  # fmt: skip
    axes.plot(*([v] for v in drawn.ridge), marker="D", color=DARK, markersize=6, linestyle="", label="ridge point")
    radii = [2.5 + 14 * math.sqrt(drawn.share(block)) for block in drawn.blocks]
    for bound, kernels in _by_bound(drawn.kernels):
        color, marker, _ = _LOOKS[bound]
        axes.scatter(*columns(kernels), c=color, marker=marker, s=9, alpha=0.25, linewidths=0, zorder=2)
    for bound, blocks in _by_bound(drawn.blocks):
        color, marker, _ = _LOOKS[bound]
        sizes = [(2 * r) ** 2 for b, r in zip(drawn.blocks, radii, strict=True) if b["bound"] == bound]
        axes.scatter(*columns(blocks), s=sizes, c=color, marker=marker, alpha=0.75, edgecolors="white",
                     linewidths=0.6, zorder=3)  # fmt: skip
        axes.plot([], [], color=color, marker=marker, linestyle="", label=f"block, {bound} bound")
    axes.plot([], [], color=GREY, marker=".", linestyle="", label="one kernel")
    for label in labels(drawn, axes_box, glyph, radii):
        axes.annotate(
            "", label.point, xytext=label.box.nearest(*label.point), xycoords="figure points",
            textcoords="figure points", zorder=2.5,
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 0},
        )  # fmt: skip
        axes.annotate(
            label.text, label.box.centre, xycoords="figure points", ha="center", va="center", fontsize=size, zorder=4
        )
    axes.set_title(drawn.title, loc="left", pad=20)
    axes.text(0, 1.015, drawn.subtitle, transform=axes.transAxes, fontsize=8, color="#555555")
    axes.grid(alpha=0.2)
    axes.legend(loc="upper left", fontsize=7.5, frameon=False)
    figure.savefig(file, format=file.suffix[1:], dpi=150)


def _save_html(drawn: Scene, file: Path) -> None:
    page = _figure(drawn).to_html(include_plotlyjs=True, full_html=True, config={"displaylogo": False})
    file.write_text(page, encoding="utf-8")


def roofline_figure(name: str, costs: dict[str, Any]) -> Any:
    """The roofline as a Plotly figure of fixed size.

    Args:
        name: of the network.
        costs: of `replayed.workload_costs`.

    Raises:
        ValueError: if nothing does any operation.
    """
    return _figure(scene(name, costs))


def _figure(drawn: Scene) -> Any:
    import html

    import plotly.graph_objects as go

    figure = go.Figure()
    axes_box, size = _HTML_AXES, 10.0
    glyph = (0.58 * size, 1.3 * size)
    for roof in drawn.roofs:
        dash = "solid" if roof.main else "dash"
        line = {"color": DARK if roof.main else GREY, "dash": dash, "width": 2 if roof.main else 1}
        figure.add_scatter(x=roof.xs, y=roof.ys, mode="lines", line=line, name=roof.name, showlegend=False)
        (x0, y0), (x1, y1) = roof_name_ends(drawn, roof, axes_box, glyph)
        x, y = drawn.values((x0 + x1) / 2, (y0 + y1) / 2, axes_box)
        figure.add_annotation(
            text=roof.name, showarrow=False, xanchor="center", yanchor="middle", x=math.log10(x), y=math.log10(y),
            textangle=-math.degrees(math.atan2(y1 - y0, x1 - x0)), font={"size": size, "color": DARK},
        )  # fmt: skip
    figure.add_scatter(
        x=drawn.ridge[:1], y=drawn.ridge[1:], mode="markers", name="ridge point",
        marker={"color": DARK, "symbol": "diamond", "size": 11},
    )  # fmt: skip
    radii = {id(block): 3 + 20 * math.sqrt(drawn.share(block)) for block in drawn.blocks}
    for rows, what in ((drawn.kernels, "kernel"), (drawn.blocks, "block")):
        for bound, some in _by_bound(rows):
            color, _, symbol = _LOOKS[bound]
            sizes: Any = [2 * radii[id(b)] for b in some] if what == "block" else 5
            opacity = 0.75 if what == "block" else 0.3
            xs, ys = columns(some)
            figure.add_scatter(
                x=xs, y=ys, mode="markers", name=f"{what}, {bound} bound", text=[_hover(row) for row in some],
                marker={"color": color, "symbol": symbol, "size": sizes, "opacity": opacity},
                hovertemplate="%{text}<extra></extra>",
            )  # fmt: skip
    for label in labels(drawn, axes_box, glyph, [*radii.values()]):
        (across, up), (text_across, text_up) = label.point, label.box.centre
        x, y = drawn.values(across, up, axes_box)
        figure.add_annotation(
            text=html.escape(label.text), font={"size": size}, showarrow=True, arrowhead=0, arrowwidth=0.6,
            arrowcolor=GREY, borderpad=0, x=math.log10(x), y=math.log10(y), ax=text_across - across, ay=up - text_up,
        )  # fmt: skip
    figure.update_layout(
        template="plotly_white",
        title={"text": f"{html.escape(drawn.title)}<br><sub>{html.escape(drawn.subtitle)}</sub>"},
        width=_HTML[0],
        height=_HTML[1],
        margin={
            "l": axes_box.left,
            "b": axes_box.bottom,
            "r": _HTML[0] - axes_box.right,
            "t": _HTML[1] - axes_box.top,
        },
        legend={"x": 0.005, "y": 0.995, "bgcolor": "rgba(255,255,255,0.6)"},
    )
    figure.update_xaxes(type="log", title=_X, automargin=False, range=[math.log10(v) for v in drawn.x_range])
    figure.update_yaxes(type="log", title=_Y, automargin=False, range=[math.log10(v) for v in drawn.y_range])
    return figure


def _hover(row: dict[str, Any]) -> str:
    import html

    kernels = f", {row['kernels']} kernels" if row.get("kernels", 1) > 1 else ""
    return (
        f"<b>{html.escape(row['name'])}</b>{kernels}<br>{row['latency_us']:.4g} us, {row['bound']} bound<br>"
        f"{row['ops_per_byte']:.3g} operations / byte<br>{row['attained_giga_ops_per_s']:.4g} giga-operations / s"
    )
