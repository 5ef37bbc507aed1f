"""The ancestors of an individual over the search, and what every step changed."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoglyph.experiments.pictures.pareto_front import axis_label
from autoglyph.experiments.views.axes import axis
from autoglyph.experiments.views.figures.style import BLUE, GREY, ORANGE, finish
from autoglyph.experiments.views.lineage import Lineage, Step
from autoglyph.experiments.views.safe_text import markup

_CHANGES = 10


def lineage_figure(found: Lineage) -> Any:
    """Trial numbers across, the first objective upwards, a line from every parent to its child."""
    import plotly.graph_objects as go

    run, name = found.run, found.run.objectives[0].name
    values = axis(run, name).values
    known = values[list(found.generations)]
    foot = float(np.nanmin(known)) if np.isfinite(known).any() else 0.0
    heights = {trial: float(values[trial]) if np.isfinite(values[trial]) else foot for trial in found.generations}
    figure = go.Figure()
    xs: list[Any] = []
    ys: list[Any] = []
    for step in found.steps:
        xs += [step.parent, step.child, None]
        ys += [heights[step.parent], heights[step.child], None]
    line = "parent to child" if found.recorded else "nearest earlier trial (no parents are recorded)"
    if xs:
        look = {"color": GREY, "width": 1.5, "dash": "solid" if found.recorded else "dot"}
        figure.add_scatter(x=xs, y=ys, mode="lines", name=line, hoverinfo="skip", line=look)
    ancestors = [trial for trial in found.generations if trial != found.trial]
    texts = {trial: _text(trial, [s for s in found.steps if s.child == trial]) for trial in found.generations}
    for some, label, color, symbol, size in (
        (ancestors, "ancestors" if found.recorded else "earlier trial", BLUE, "circle", 9),
        ([found.trial], f"trial {found.trial}", ORANGE, "diamond", 14),
    ):
        figure.add_scatter(
            x=some, y=[heights[t] for t in some], mode="markers", name=label, customdata=some,
            text=[texts[t] for t in some], marker={"color": color, "symbol": symbol, "size": size},
            hovertemplate=f"%{{text}}<br>{markup(axis_label(name))}: %{{y:.5g}}<extra></extra>",
        )  # fmt: skip
    title = f"Lineage of trial {found.trial}"
    return finish(figure, title, run, axes={"x": "trial", "y": axis_label(name)})


def _text(trial: int, steps: list[Step]) -> str:
    rows = [f"trial {trial}"]
    for step in steps:
        rows.append(f"from trial {step.parent}: {len(step.changes)} decisions differ")
        rows += [
            f"  {markup(c.name, 40)}: {markup(_value(c.before), 30)} → {markup(_value(c.after), 30)}"
            for c in step.changes[:_CHANGES]
        ]
        if len(step.changes) > _CHANGES:
            rows.append("  …")
    return "<br>".join(rows)


def _value(value: Any) -> Any:
    return "not made" if value is None else value
