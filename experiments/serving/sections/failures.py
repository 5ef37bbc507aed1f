"""Failed trials with their text, the same causes together."""

from __future__ import annotations

from typing import Any

from autoglyph.experiments.run import Run
from autoglyph.experiments.serving import markup
from autoglyph.experiments.serving.place import Place, run_place
from autoglyph.experiments.serving.records import Records
from autoglyph.experiments.views.failures import failures

TITLE, ORDER = "Failures", 60
_CAUSES, _TRIALS = 50, 20


def layout(records: Records, run: Run, place: Place) -> Any:
    """Causes, the most frequent first.

    Args:
        records: the record.
        run: the run.
        place: no choices.
    """
    from dash import dcc, html

    found = failures(run)
    if not found:
        nothing = markup.card("Failures", html.P("No trial of this run failed.", className="quiet"), wide=True)
        return markup.part("failures", nothing)
    cards = []
    for failure in found[:_CAUSES]:
        links = [
            html.Span([dcc.Link(f"{t:,}", href=run_place(run.name, run.record.run, t).href), " "])
            for t in failure.trials[:_TRIALS]
        ]
        more = f"and {len(failure.trials) - _TRIALS:,} more" if len(failure.trials) > _TRIALS else ""
        count = f"{len(failure.trials):,} trial{'s' if len(failure.trials) > 1 else ''}"
        cards.append(
            markup.card(
                html.Span([markup.badge(count, "failed"), " ", failure.cause]),
                html.P(["Trials ", *links, more], className="note"),
                html.Details([html.Summary("Text of the first of them"), html.Pre(failure.text)], open=True),
                wide=True,
            )
        )
    return markup.part("failures", *cards)
