"""Hypervolume and best-so-far over trials or over time."""

from __future__ import annotations

from typing import Any

from autoglyph.experiments.run import Run
from autoglyph.experiments.serving import markup
from autoglyph.experiments.serving.place import Place
from autoglyph.experiments.serving.records import Records
from autoglyph.experiments.views.figures.progress import best_figure, hypervolume_figure
from autoglyph.experiments.views.progress import progress

TITLE, ORDER = "Progress", 20


def layout(records: Records, run: Run, place: Place) -> Any:
    """Both curves.

    Args:
        records: the record.
        run: the run.
        place: the choice `over`, "trials" or "seconds".
    """
    from dash import html

    made = progress(run)
    over: Any = "seconds" if place.get("over") == "seconds" and made.seconds is not None else "trials"
    options = [("trials", place.changed({"over": None}).href, over == "trials")]
    if made.seconds is not None:
        options.append(("time", place.changed({"over": "seconds"}).href, over == "seconds"))
    figures = {
        "hypervolume-graph": ("Hypervolume", hypervolume_figure(made, over)),
        "best-graph": ("Best value so far", best_figure(made, over)),
    }
    for _, figure in figures.values():
        figure.update_layout(uirevision=over)
    return html.Div(
        [
            markup.part("over", markup.choices("Over", options)),
            html.Div(
                [
                    markup.card(None, markup.graph(figure, part, f"{label} over {over}", live=True))
                    for part, (label, figure) in figures.items()
                ],
                className="cards",
            ),
        ]
    )
