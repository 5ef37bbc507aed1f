"""One individual."""

from __future__ import annotations

from typing import Any

from autoglyph.experiments.run import Run
from autoglyph.experiments.serving import markup, trial_cards
from autoglyph.experiments.serving.place import Place, run_place
from autoglyph.experiments.serving.records import Records
from autoglyph.experiments.views.individuals import individual
from autoglyph.experiments.views.safe_text import plain

PATH = "run/*/trial/*"


def layout(records: Records, place: Place) -> Any:
    """Everything about one individual.

    Args:
        records: the record.
        place: run and trial; the choice `device` names the chip of the costs.
    """
    from dash import html

    run, trial = _found(records, place)
    shown = individual(run, trial)
    failed = trial_cards.failure_card(run, trial)
    return html.Div(
        [
            crumbs(run, trial),
            html.Div(html.H1(f"Trial {trial:,}"), className="title"),
            html.Div(
                [
                    html.Div(
                        [
                            *failed,
                            *trial_cards.architecture_cards(shown),
                            markup.part("cost", trial_cards.cost_card(shown, place, roofline=True)),
                            markup.part("lineage", trial_cards.lineage_card(run, trial)),
                        ],
                        className="column",
                    ),
                    html.Div(
                        [
                            markup.part(
                                "summary",
                                trial_cards.summary_card(run, trial, str(records.path), "What it reached"),
                            ),
                            trial_cards.decisions_card(run, trial),
                        ],
                        className="column",
                    ),
                ],
                className="cards side",
            ),
        ]
    )


def register(app: Any, records: Records) -> None:
    """The roofline comes behind the rest of the page."""
    from dash import Input, Output, State

    @app.callback(  # type: ignore[untyped-decorator]
        Output("roofline-place", "children"),
        Input("roofline-place", "id"),
        State("url", "pathname"),
        State("url", "search"),
    )
    def roofline(_: str, pathname: str, search: str) -> Any:
        place = Place.of(pathname, search)
        return trial_cards.roofline_graph(individual(*_found(records, place)), place)


def _found(records: Records, place: Place) -> tuple[Run, int]:
    _, where, _, number = place.path
    if not number.isdecimal() or len(number) > 12:
        raise ValueError(f"There is no trial {plain(number)!r}: a trial is a number.")
    return records.run(where), int(number)


def crumbs(run: Run, trial: int | None = None) -> Any:
    """The way back."""
    from dash import dcc, html

    back = [dcc.Link("Runs", href="/"), html.Span("›"),
            dcc.Link(markup.name_of(run.name, 60), href=run_place(run.name, run.record.run).href)]  # fmt: skip
    if trial is not None:
        back += [html.Span("›"), html.Span(f"trial {trial:,}")]
    return html.Nav(back, className="crumbs", **markup.aria("label", "Where this is"))
