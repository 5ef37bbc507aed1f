"""Rungs and hurdles: the curves of the children, and who was stopped where."""

from __future__ import annotations

from typing import Any

from autoglyph.experiments.run import Run
from autoglyph.experiments.serving import markup
from autoglyph.experiments.serving.place import Place
from autoglyph.experiments.serving.records import Records
from autoglyph.experiments.views.figures.rungs import curves_figure, stopped_figure
from autoglyph.experiments.views.rungs import rungs
from autoglyph.experiments.views.safe_text import plain

TITLE, ORDER = "Training", 40


def layout(records: Records, run: Run, place: Place) -> Any:
    """The curves, where they ended, and the hurdles.

    Args:
        records: the record.
        run: the run.
        place: no choices.
    """
    from dash import html

    seen = rungs(run)
    if seen.values.size == 0:
        source = plain(run.record.experiment.get("accuracy_source") or run.record.experiment.get("accuracy"), 200)
        text = f"No child was trained in this run. Accuracy: {source}."
        return markup.part("none", markup.card("Training", html.P(text, className="quiet"), wide=True))
    rows = [
        [f"after rung {hurdle.rung}", "postponed" if hurdle.value is None else markup.number(hurdle.value),
         f"{hurdle.children:,}"]
        for hurdle in seen.hurdles
    ]  # fmt: skip
    hurdles = (
        markup.table(
            ["Hurdle", seen.label, "Children before"], rows, numeric=[1, 2], caption="Hurdles as they were set"
        )
        if rows
        else html.P("This run sets no hurdles: every child is trained to the end.", className="quiet")
    )
    return html.Div(
        [
            markup.card(
                None, markup.graph(curves_figure(seen), "curves-graph", "Training curves by rung", live=True), wide=True
            ),
            markup.card(None, markup.graph(stopped_figure(seen), "stopped-graph", "Where training ended", live=True)),
            markup.part("hurdles", markup.card("Hurdles", hurdles)),
        ],
        className="cards",
    )
