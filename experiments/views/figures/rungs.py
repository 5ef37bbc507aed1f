"""Training curves by rung with the hurdles between them, and how many children ended at each rung."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoglyph.experiments.views.figures.style import BLUE, COLORS, GREY, ORANGE, empty, finish
from autoglyph.experiments.views.rungs import Rungs, shown_curves
from autoglyph.experiments.views.safe_text import markup

_NOTHING = "Nothing was trained by rungs in this run."


def curves_figure(seen: Rungs, *, limit: int = 120, selected: int | None = None) -> Any:
    """The curves of some children; those that reached the last rung are blue, those that were stopped grey."""
    import plotly.graph_objects as go

    title = "Training curves by rung"
    if seen.values.size == 0:
        return empty(title, _NOTHING, seen.run)
    rows = shown_curves(seen, limit)
    last = seen.values.shape[1]
    figure = go.Figure()
    kinds = [
        ("trained to the last rung", (seen.reached == last) & ~seen.failed, BLUE, "circle", 0.8),
        ("stopped before", (seen.reached < last) & ~seen.failed, GREY, "square", 0.6),
        ("failed", seen.failed, ORANGE, "x", 0.8),
    ]
    for name, mask, color, symbol, opacity in kinds:
        some = rows[mask[rows]]
        if len(some) == 0:
            continue
        xs, ys, trials = _joined(seen, some)
        figure.add_scatter(
            x=xs, y=ys, customdata=trials, mode="lines+markers", name=f"{name} ({int(mask.sum()):,})",
            line={"color": color, "width": 1}, marker={"symbol": symbol, "size": 6, "color": color}, opacity=opacity,
            hovertemplate=f"trial %{{customdata}}<br>rung %{{x}}<br>{markup(seen.label)}: %{{y:.5g}}<extra></extra>",
        )  # fmt: skip
    if selected is not None and selected in seen.trials:
        xs, ys, trials = _joined(seen, np.flatnonzero(seen.trials == selected))
        figure.add_scatter(x=xs, y=ys, customdata=trials, mode="lines+markers", name=f"trial {selected}",
                           line={"color": "#000000", "width": 3})  # fmt: skip
    for number, hurdle in enumerate(h for h in seen.hurdles if h.value is not None):
        figure.add_scatter(
            x=[hurdle.rung - 0.25, hurdle.rung + 0.25], y=[hurdle.value] * 2, mode="lines", name="hurdle",
            legendgroup="hurdle", showlegend=number == 0, line={"color": COLORS[3], "width": 4},
            hovertemplate=f"hurdle after rung {hurdle.rung}, set after {hurdle.children:,} children: "
            "%{y:.5g}<extra></extra>",
        )  # fmt: skip
    finish(figure, title, seen.run, axes={"x": "rung", "y": seen.label})
    figure.update_xaxes(dtick=1)
    return figure


def stopped_figure(seen: Rungs) -> Any:
    """How many children ended at each rung, and how many failed."""
    import plotly.graph_objects as go

    title = "Where training ended"
    if seen.values.size == 0:
        return empty(title, _NOTHING, seen.run)
    counts = seen.stopped()
    names = [f"rung {i}" for i in range(len(counts))]
    figure = go.Figure(
        go.Bar(x=[*names, "failed"], y=[*counts.tolist(), int(seen.failed.sum())],
               marker={"color": [*([GREY] * (len(counts) - 1)), BLUE, ORANGE]}, text=[*counts.tolist(),
               int(seen.failed.sum())], hovertemplate="%{x}: %{y:,} children<extra></extra>")
    )  # fmt: skip
    return finish(figure, title, seen.run, axes={"x": "last measurement at", "y": "children"}, height=360)


def _joined(seen: Rungs, rows: Any) -> tuple[list[Any], list[Any], list[Any]]:
    """All curves as one line with gaps, which draws fast."""
    xs: list[Any] = []
    ys: list[Any] = []
    trials: list[Any] = []
    for row in rows.tolist():
        values = seen.values[row, : seen.reached[row]].tolist()
        xs += [*range(len(values)), None]
        ys += [*(v if v == v else None for v in values), None]
        trials += [int(seen.trials[row])] * (len(values) + 1)
    return xs, ys, trials
