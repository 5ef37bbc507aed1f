"""The looks that all figures share: colours that colour-blind people can tell apart, and who says what is shown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from autoglyph.experiments.pictures.pareto_front import axis_label, subtitle
from autoglyph.experiments.run import Run
from autoglyph.experiments.views.safe_text import markup

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
"""Okabe and Ito 2008, in an order in which neighbours differ most."""
DASHES = ("solid", "dash", "dot", "dashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "pentagon")
BLUE, ORANGE, GREEN = COLORS[:3]
GREY = "#999999"
SCALE = "Cividis"
"""A scale of colours that keeps its order for colour-blind people (Nuñez et al. 2018)."""


def source_line(*runs: Run) -> str:
    """Run, device and source of the accuracy of each run, fit for the labels of Plotly."""
    shown = [markup(subtitle(run), 150) for run in runs[:4]]
    if len(runs) > len(shown):
        shown.append(f"and {len(runs) - len(shown)} more runs")
    return "<br>".join(shown)


def finish(figure: Any, title: str, *runs: Run, axes: Mapping[str, str] | None = None, height: int = 460) -> Any:
    """Gives a figure its title, the line that says where it comes from, and the common looks.

    Args:
        figure: of Plotly; it is changed.
        title: plain text.
        *runs: whose figures are shown.
        axes: titles with units by axis, such as {"x": "trial"}, plain text.
        height: pixels.
    """
    above = 64 + 15 * min(len(runs), 5)
    figure.update_layout(
        template="plotly_white",
        title={
            "text": f"{markup(title, 120)}<br><sub>{source_line(*runs)}</sub>",
            "x": 0.01,
            "xanchor": "left",
            "yref": "container",
            "y": 1 - 18 / height,
            "yanchor": "top",
        },
        legend={"orientation": "h", "y": -0.18, "yanchor": "top", "x": 0.0},
        margin={"l": 64, "r": 24, "t": above, "b": 80},
        height=height,
        hoverlabel={"align": "left", "namelength": 60},
        autosize=True,
    )
    for name, text in (axes or {}).items():
        figure.update_layout({f"{name}axis": {"title": {"text": markup(text)}, "automargin": True}})
    return figure


def hypervolume_label(run: Run) -> str:
    """Hypervolume with its unit, the product of those of the objectives that have one."""
    units = [found[1] for o in run.objectives if (found := re.search(r"\(([^()]*)\)$", axis_label(o.name)))]
    return f"hypervolume ({' · '.join(units)})" if units else "hypervolume"


def empty(title: str, why: str, *runs: Run) -> Any:
    """A figure that says why there is nothing to draw."""
    import plotly.graph_objects as go

    figure = finish(go.Figure(), title, *runs, height=220)
    figure.add_annotation(text=markup(why, 200), showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper")
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure


def decision_lines(decisions: Mapping[str, Any], *, per_line: int = 3, limit: int = 10) -> str:
    """Decisions for a hover label: a few a line, the first `limit` lines."""
    pairs = [f"{markup(name, 40)}={markup(value, 40)}" for name, value in decisions.items()]
    rows = [", ".join(pairs[i : i + per_line]) for i in range(0, len(pairs), per_line)]
    return "<br>".join([*rows[:limit], *(["…"] if len(rows) > limit else [])])


def tick_texts(values: Sequence[Any]) -> list[str]:
    """Candidates of a decision as labels of an axis."""
    return [markup(value, 18) for value in values]
