"""The Pareto front; a point that is chosen shows its individual beside it."""

from __future__ import annotations

from typing import Any

from autoglyph.experiments.pictures.pareto_front import axis_label
from autoglyph.experiments.run import Run
from autoglyph.experiments.serving import markup
from autoglyph.experiments.serving.place import Place, run_place
from autoglyph.experiments.serving.records import Records
from autoglyph.experiments.views.safe_text import plain

TITLE, ORDER = "Front", 10
_LISTED = 200


def layout(records: Records, run: Run, place: Place) -> Any:
    """The front and its members.

    Args:
        records: the record.
        run: the run.
        place: the choices: `x`, `y` and `z` for the axes, `trial` for the individual that is shown.
    """
    from dash import html

    return html.Div([_members(run)], className="cards")


def _members(run: Run) -> Any:
    from dash import dcc, html

    listed = run.front[::-1][:_LISTED].tolist()
    rows = [
        [
            dcc.Link(f"{trial:,}", href=run_place(run.name, run.record.run, trial).href),
            *(markup.number(value) for value in run.objective_values(trial).values()),
        ]
        for trial in listed
    ]
    headings = ["Trial", *(plain(axis_label(o.name), 40) for o in run.objectives)]
    more = f"; the first {_LISTED} are listed" if len(run.front) > _LISTED else ""
    return markup.card(
        "Members of the front",
        html.Div(
            markup.table(headings, rows, numeric=range(1, len(headings)), caption="Members of the Pareto front"),
            className="tall",
        ),
        note=f"{len(run.front):,} trials that no other beats in every objective{more}.",
        part="members",
    )
