"""The graph of an architecture, and what its kernels cost."""

from __future__ import annotations

import math
from typing import Any

from autoglyph.experiments.views.architecture_graph import Graph, Node, places
from autoglyph.experiments.views.figures.style import BLUE, GREEN, GREY, ORANGE, SCALE
from autoglyph.experiments.views.safe_text import markup

_LABELLED = 3
_KERNELS = 25
_BOUNDS = {"compute": BLUE, "memory": ORANGE, "overhead": GREEN}


def graph_figure(graph: Graph, title: str) -> Any:
    """Nodes from the input down to the output, the darker the fewer of the multiply-adds they take.

    The path of a node is its `customdata`, for a page that opens it on a click.

    Args:
        graph: of `collapsed`, or of an expression.
        title: whose it is; plain text.
    """
    import plotly.graph_objects as go

    at = places(graph)
    widest = max((sum(1 for p in at if p[1] == y) for y in {p[1] for p in at}), default=1)
    total = sum(node.madds for node in graph.nodes)
    is_labelled = widest <= _LABELLED or total == 0
    room = 1.8 if is_labelled else 1.0  # for the names beside the nodes
    at = [(room * x, y) for x, y in at]
    xs: list[float | None] = []
    ys: list[float | None] = []
    for a, b in graph.edges:
        (x0, y0), (x1, y1) = at[a], at[b]
        if y0 - y1 > 1 and x0 == x1:  # around the nodes between
            bend = 0.35 + 0.08 * min(y0 - y1, 5)
            xs += [x0, x0 - bend, x1 - bend, x1, None]
            ys += [y0, y0 - 0.4, y1 + 0.4, y1, None]
        else:
            xs += [x0, x1, None]
            ys += [y0, y1, None]
    figure = go.Figure()
    figure.add_scatter(x=xs, y=ys, mode="lines", line={"color": GREY, "width": 1.2}, hoverinfo="skip",
                       showlegend=False)  # fmt: skip
    shares = [node.madds / total if total else 0.0 for node in graph.nodes]
    figure.add_scatter(
        x=[p[0] for p in at], y=[p[1] for p in at], mode="markers+text" if is_labelled else "markers",
        text=[_label(node) for node in graph.nodes], textposition="middle right", textfont={"size": 11},
        customdata=[node.name for node in graph.nodes], showlegend=False,
        hovertext=[_hover(node, share, total) for node, share in zip(graph.nodes, shares, strict=True)],
        hovertemplate="%{hovertext}<extra></extra>",
        marker={
            "symbol": ["circle" if node.kind in ("operand", "Input") else "square" for node in graph.nodes],
            "size": [10 + 14 * math.sqrt(share) for share in shares], "color": shares if total else BLUE,
            "colorscale": SCALE, "showscale": bool(total), "line": {"color": "#444444", "width": 0.8},
            "colorbar": {"title": {"text": "share of multiply-adds", "side": "right"}, "tickformat": ".0%"},
        },
    )  # fmt: skip
    layers = int(max((-p[1] for p in at), default=0)) + 1
    parameters = sum(node.parameters for node in graph.nodes)
    below = f"{total:,} multiply-adds and {parameters:,} parameters an example" if total else "an expression"
    figure.update_layout(
        template="plotly_white",
        title={"text": f"{markup(title, 120)}<br><sub>{below}</sub>", "x": 0.01, "xanchor": "left"},
        height=max(240, min(2400, 130 + 30 * layers)),
        margin={"l": 16, "r": 16, "t": 64, "b": 16},
    )
    reach = room * widest / 2 + (1.2 if is_labelled else 0.3)
    figure.update_xaxes(visible=False, range=[-reach, reach + (0.8 if is_labelled else 0)])
    figure.update_yaxes(visible=False)
    return figure


def kernels_figure(name: str, costs: dict[str, Any]) -> Any:
    """The slowest kernels of a network on a chip, coloured by what bounds them.

    Args:
        name: of the network; plain text.
        costs: of `replaying.replayed.costs`.
    """
    import plotly.graph_objects as go

    slowest = sorted(costs["kernels"], key=lambda k: -k["latency_us"])[:_KERNELS][::-1]
    figure = go.Figure()
    for bound, color in _BOUNDS.items():
        some = [(i, k) for i, k in enumerate(slowest) if k["bound"] == bound]
        if some:
            figure.add_bar(
                x=[k["latency_us"] for _, k in some], y=[i for i, _ in some], orientation="h", name=f"{bound} bound",
                marker={"color": color, "pattern": {"shape": {"compute": "", "memory": "/", "overhead": "x"}[bound]}},
                customdata=[[markup(k["name"]), k["madds"], k["bytes"]] for _, k in some],
                hovertemplate="%{customdata[0]}<br>%{x:.4g} µs<br>%{customdata[1]:,} multiply-adds, "
                "%{customdata[2]:,} bytes<extra></extra>",
            )  # fmt: skip
    shown = f"slowest {len(slowest)} of {len(costs['kernels'])} kernels"
    below = (
        f"{markup(costs['device'])}, batch {costs['batch']} (analytic model): {costs['latency_ms']:.4g} ms, "
        f"{costs['energy_mj']:.4g} mJ, peak {costs['peak_mb']:.4g} MB"
    )
    figure.update_layout(
        template="plotly_white",
        title={"text": f"{markup(name, 80)}: {shown}<br><sub>{below}</sub>", "x": 0.01, "xanchor": "left"},
        height=180 + 20 * len(slowest),
        margin={"l": 16, "r": 24, "t": 64, "b": 48},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 1.0, "xanchor": "right"},
    )
    figure.update_xaxes(title={"text": "latency (µs)"})
    figure.update_yaxes(
        tickvals=list(range(len(slowest))), ticktext=[markup(k["name"], 40) for k in slowest], automargin=True
    )
    return figure


def _label(node: Node) -> str:
    shape = " × ".join(map(str, node.shape))
    name = node.path[-1] if not node.shape else "/".join(node.path[-2:])
    return f" {markup(name, 36)}" + (f"  <span style='color:#666'>{shape}</span>" if shape else "")


def _hover(node: Node, share: float, total: int) -> str:
    rows = [markup(node.name, 80)]
    if node.kind == "part":
        rows.append(f"{node.operations} operations: {markup(node.detail, 120)}")
    else:
        rows.append(markup(f"{node.kind} {node.detail}", 120))
    if node.shape:
        rows.append("output " + " × ".join(map(str, node.shape)))
    if total:
        rows.append(f"{node.madds:,} multiply-adds ({share:.1%}), {node.parameters:,} parameters")
    return "<br>".join(rows)
