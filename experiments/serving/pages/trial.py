"""One individual."""

from __future__ import annotations

from typing import Any

from autoglyph.experiments.run import Run
from autoglyph.experiments.serving import markup, trial_cards
from autoglyph.experiments.serving.place import Place, run_place
from autoglyph.experiments.serving.records import Records

PATH = "run/*/trial/*"


def layout(records: Records, place: Place) -> Any:
    """Everything about one individual.

    Args:
        records: the record.
        place: run and trial; the choice `device` names the chip of the costs.
    """
    from dash import html

    _, where, _, number = place.path
    run = records.run(where)
    if not number.isdecimal() or len(number) > 12:
        raise ValueError(f"There is no trial {number!r}: a trial is a number.")
    trial = int(number)
    return html.Div(
        [
            crumbs(run, trial),
            html.Div(html.H1(f"Trial {trial:,}"), className="title"),
            html.Div(
                [
                    html.Div(
                        [
                            *trial_cards.picture_cards(run, trial, place, roofline=True),
                            trial_cards.lineage_card(run, trial),
                        ],
                        className="column",
                    ),
                    html.Div(
                        [
                            trial_cards.summary_card(run, trial, str(records.path), "What it reached"),
                            trial_cards.decisions_card(run, trial),
                        ],
                        className="column",
                    ),
                ],
                className="cards side",
            ),
        ],
        id="trial",
    )


def crumbs(run: Run, trial: int | None = None) -> Any:
    """The way back."""
    from dash import dcc, html

    back = [dcc.Link("Runs", href="/"), html.Span("›"),
            dcc.Link(markup.name_of(run.name, 60), href=run_place(run.name, run.record.run).href)]  # fmt: skip
    if trial is not None:
        back += [html.Span("›"), html.Span(f"trial {trial:,}")]
    return html.Nav(back, className="crumbs", **{"aria-label": "Where this is"})
