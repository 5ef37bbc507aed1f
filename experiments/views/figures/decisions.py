"""Decisions side by side, and how much each of them matters."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoglyph.experiments.views.decisions import Decision, Decisions, Importance
from autoglyph.experiments.views.figures.style import BLUE, SCALE, empty, finish, tick_texts
from autoglyph.experiments.views.safe_text import markup

_TICKS = 24


def decisions_figure(seen: Decisions) -> Any:
    """Parallel coordinates: a line a trial, coloured by its result; a decision that was not made is at the foot."""
    import plotly.graph_objects as go

    title = "Decisions, the front and an even sample of the trials"
    if len(seen.trials) == 0 or not seen.decisions:
        return empty(title, "No finished trial has a result yet.", seen.run)
    result = seen.result.values[seen.trials]
    dimensions = [_dimension(decision) for decision in seen.decisions]
    dimensions.append({"label": markup(seen.result.label, 24), "values": result})
    figure = go.Figure(
        go.Parcoords(
            dimensions=dimensions,
            line={"color": result, "colorscale": SCALE, "showscale": True, "reversescale": seen.result.sign < 0,
                  "colorbar": {"title": {"text": markup(seen.result.label, 30), "side": "right"}}},
            labelangle=-25,
            labelfont={"size": 11},
        )
    )  # fmt: skip
    finish(figure, f"{title} ({len(seen.trials):,} of {seen.of:,})", seen.run, height=520)
    figure.update_layout(margin={"l": 90, "r": 40, "t": 190, "b": 40})
    return figure


def importance_figure(found: Importance, *, limit: int = 20) -> Any:
    """The most important decisions as bars; the title says how well the forest explains the result at all."""
    import plotly.graph_objects as go

    names = [markup(name, 50) for name in found.names[:limit]][::-1]
    values, spread = found.values[:limit][::-1], found.spread[:limit][::-1]
    figure = go.Figure(
        go.Bar(
            x=values, y=list(range(len(names))), orientation="h", marker={"color": BLUE}, customdata=names,
            error_x={"type": "data", "array": spread, "color": "#444444"},
            hovertemplate="%{customdata}<br>R² falls by %{x:.4f}<extra></extra>",
        )
    )  # fmt: skip
    title = f"Importance for {found.result.label} (forest explains R² = {found.r2:.2f} of unseen trials)"
    finish(figure, title, found.run, axes={"x": "fall of R² when the decision is shuffled"},
           height=180 + 22 * len(names))  # fmt: skip
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=names, automargin=True)
    return figure


def _dimension(decision: Decision) -> dict[str, Any]:
    made = np.isfinite(decision.values)
    label = markup(decision.name, 26)
    if not decision.candidates:
        foot = decision.values[made].min(initial=0.0)
        return {"label": label, "values": np.where(made, decision.values, foot)}
    used = np.unique(decision.values[made]).astype(int)
    ticks = used if len(used) <= _TICKS else used[np.linspace(0, len(used) - 1, _TICKS).astype(int)]
    texts = tick_texts([decision.candidates[i] if 0 <= i < len(decision.candidates) else i for i in ticks])
    return {
        "label": label,
        "values": np.where(made, decision.values, -1),
        "tickvals": [*([-1] if not made.all() else []), *ticks.tolist()],
        "ticktext": [*(["not made"] if not made.all() else []), *texts],
        "range": [-1 if not made.all() else min(0, used.min()), max(len(decision.candidates) - 1, 1)],
    }
