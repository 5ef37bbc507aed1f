"""Hypervolume and best-so-far over trials or over time."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from autoglyph.experiments.pictures.pareto_front import axis_label
from autoglyph.experiments.views.figures.style import BLUE, COLORS, DASHES, empty, finish, hypervolume_label
from autoglyph.experiments.views.progress import Progress
from autoglyph.experiments.views.safe_text import markup

Over = Literal["trials", "seconds"]
_LOGARITHMIC_FROM = 2000


def hypervolume_figure(made: Progress, over: Over = "trials") -> Any:
    """Hypervolume; over seconds where the record has times, else over trials."""
    import plotly.graph_objects as go

    title, axis = "Hypervolume", hypervolume_label(made.run)
    if len(made.trials) == 0:
        return empty(title, "No trial has finished yet.", made.run)
    xs, label = _over(made, over)
    figure = go.Figure(
        go.Scatter(
            x=xs, y=made.hypervolume, mode="lines", name="hypervolume", line={"color": BLUE, "shape": "hv"},
            hovertemplate=f"{label}: %{{x:.6~g}}<br>hypervolume: %{{y:.6~g}}<extra></extra>",
        )
    )  # fmt: skip
    finish(figure, f"{title} over {_word(made, over)}", made.run, axes={"x": label, "y": axis})
    return _spread(figure, made, over)


def best_figure(made: Progress, over: Over = "trials") -> Any:
    """The best value of every objective so far, each on an axis of its own."""
    import plotly.graph_objects as go

    title = "Best so far"
    if len(made.trials) == 0:
        return empty(title, "No trial has finished yet.", made.run)
    xs, label = _over(made, over)
    names = [axis_label(o.name) for o in made.run.objectives]
    figure = go.Figure()
    rows = len(names)
    axes = {"x": label}
    for i, name in enumerate(names):
        suffix = "" if i == 0 else str(i + 1)
        figure.add_scatter(
            x=xs, y=made.best[:, i], mode="lines", name=name, yaxis=f"y{suffix}",
            line={"color": COLORS[i % len(COLORS)], "shape": "hv", "dash": DASHES[i % len(DASHES)]},
            hovertemplate=f"{label}: %{{x:.6~g}}<br>best: %{{y:.6~g}}<extra></extra>",
        )  # fmt: skip
        top = 1 - i / rows
        figure.update_layout({f"yaxis{suffix}": {"domain": [top - 1 / rows + (0.05 if i < rows - 1 else 0), top]}})
        axes[f"y{suffix}"] = name
    finish(figure, f"{title} over {_word(made, over)}", made.run, height=300 + 140 * rows)
    for axis, text in axes.items():
        part = "xaxis" if axis == "x" else f"yaxis{axis[1:]}"
        figure.update_layout({part: {"title": {"text": markup(text)}, "automargin": True}})
    figure.update_layout(xaxis={"anchor": "free", "position": 0})
    return _spread(figure, made, over)


def _spread(figure: Any, made: Progress, over: Over) -> Any:
    """A logarithmic axis for many trials, most of which change nothing."""
    if _word(made, over) == "trials" and made.trials[-1] > _LOGARITHMIC_FROM:
        figure.update_xaxes(type="log")
    return figure


def _word(made: Progress, over: Over) -> str:
    return "time" if over == "seconds" and made.seconds is not None else "trials"


def _over(made: Progress, over: Over) -> tuple[Any, str]:
    if over == "seconds" and made.seconds is not None:
        return np.round(made.seconds, 3), "time of searching (s)"
    return made.trials, "trials"
