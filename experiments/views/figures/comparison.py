"""Fronts of several runs over one another, their hypervolume, and what shares of the seeds attained."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoglyph.experiments.pictures.pareto_front import axis_label
from autoglyph.experiments.views.comparison import Comparison
from autoglyph.experiments.views.figures.style import COLORS, DASHES, SYMBOLS, empty, finish, hypervolume_label
from autoglyph.experiments.views.safe_text import markup, plain


def fronts_figure(seen: Comparison) -> Any:
    """The fronts of the first two objectives overlaid; with one objective, the best of each run."""
    import plotly.graph_objects as go

    objectives = seen.runs[0].objectives
    figure = go.Figure()
    if len(objectives) == 1:
        label = axis_label(objectives[0].name)
        best = [r.objective_values(int(r.front[-1]))[objectives[0].name] if len(r.front) else None for r in seen.runs]
        names = [markup(run.name, 40) for run in seen.runs]
        figure.add_bar(x=list(range(len(names))), y=best, marker={"color": COLORS[0]}, customdata=names,
                       hovertemplate="%{customdata}: %{y:.5g}<extra></extra>")  # fmt: skip
        finish(figure, f"Best {label}", *seen.runs, axes={"x": "run", "y": label})
        figure.update_xaxes(tickvals=list(range(len(names))), ticktext=names)
        return figure
    first, second = objectives[:2]
    for i, run in enumerate(seen.runs):
        values = run.fitness[run.front][:, :2] * np.array([first.sign, second.sign])
        order = np.argsort(values[:, 1], kind="stable")
        figure.add_scatter(
            x=values[order, 1], y=values[order, 0], mode="lines+markers", customdata=run.front[order],
            name=markup(run.name, 40), **_look(i, "hv" if first.sign > 0 and second.sign < 0 else "vh"),
            hovertemplate=f"{markup(run.name, 40)} trial %{{customdata}}<br>%{{x:.5g}}, %{{y:.5g}}<extra></extra>",
        )  # fmt: skip
    title = f"Fronts: {axis_label(first.name)} against {axis_label(second.name)}"
    return finish(figure, title, *seen.runs, axes={"x": axis_label(second.name), "y": axis_label(first.name)})


def growth_figure(seen: Comparison) -> Any:
    """Hypervolume over trials above one reference point for all runs."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for i, (run, growth) in enumerate(zip(seen.runs, seen.growth, strict=True)):
        figure.add_scatter(x=growth.trials, y=growth.values, mode="lines", name=markup(run.name, 40),
                           **{"line": _look(i, "hv")["line"]})  # fmt: skip
    finish(figure, "Hypervolume above the common reference point", *seen.runs,
           axes={"x": "trials", "y": hypervolume_label(seen.runs[0])})  # fmt: skip
    figure.update_xaxes(type="log")
    return figure


def attainment_figure(seen: Comparison) -> Any:
    """What the best, the middle and the worst of runs that differ only in their seeds reached."""
    import plotly.graph_objects as go

    title = "Attainment over seeds"
    figure = go.Figure()
    objectives = seen.runs[0].objectives
    for i, (group, levels) in enumerate(zip(seen.groups, seen.attainment, strict=True)):
        for level, dash in zip(levels, DASHES, strict=False):
            of = f"{plain(seen.runs[group[0]].name, 30)} and {len(group) - 1} more"
            figure.add_scatter(
                x=level.second, y=level.first, mode="lines", name=markup(f"{of}: {level.share:.0%} of runs", 90),
                line={"color": COLORS[i % len(COLORS)], "dash": dash},
            )  # fmt: skip
    if not figure.data:
        why = "Attainment needs two or more runs of two objectives that differ in their seeds alone."
        return empty(title, why, *seen.runs)
    axes = {"x": axis_label(objectives[1].name), "y": axis_label(objectives[0].name)}
    return finish(figure, title, *seen.runs, axes=axes)


def _look(i: int, shape: str) -> dict[str, Any]:
    color = COLORS[i % len(COLORS)]
    return {
        "line": {"color": color, "shape": shape, "dash": DASHES[i // len(COLORS) % len(DASHES)]},
        "marker": {"color": color, "symbol": SYMBOLS[i % len(SYMBOLS)], "size": 6},
    }
