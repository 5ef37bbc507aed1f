"""All runs of a record, with status, speed and best."""

from __future__ import annotations

import datetime
from typing import Any

from autoglyph.experiments.serving import markup
from autoglyph.experiments.serving.place import Place, address, run_place
from autoglyph.experiments.serving.records import STATUS_TEXTS, Records, RunSummary
from autoglyph.experiments.views.safe_text import plain

PATH = ""


def layout(records: Records, place: Place) -> Any:
    """The list of runs.

    Args:
        records: the record.
        place: the choices: `run` for each run that is marked for comparison.
    """
    from dash import dcc, html

    summaries = records.summaries()
    if not summaries:
        return markup.notice("No run yet", "A search writes its run into this record; the page shows it at once.")
    marked = place.all("run")
    count = f"{len(summaries)} run{'s' if len(summaries) > 1 else ''}"
    running = sum(s.status == "running" for s in summaries)
    compare = Place(("compare",), tuple(("run", name) for name in marked))
    return html.Div(
        [
            markup.part(
                "title",
                *[
                    html.Div([html.H1("Runs"), html.P(f"{count}, {running} running", className="quiet")]),
                    dcc.Link(
                        f"Compare {len(marked)} runs" if len(marked) > 1 else "Mark two runs or more to compare them",
                        href=compare.href if len(marked) > 1 else "/compare",
                        className="button" if len(marked) > 1 else "button off",
                        id="compare-marked",
                    ),
                ],
                kind="title",
            ),
            markup.part(
                "list",
                markup.table(
                    ["", "Run", "Status", "Trials", "Speed", "Best", "Space", "Algorithm", "Device", "Accuracy"],
                    [_row(s, marked) for s in summaries],
                    numeric=[4],
                    caption="Runs of the record, newest first",
                ),
                kind="card wide list",
            ),
        ],
        id="runs",
    )


def _row(summary: RunSummary, marked: list[str]) -> list[Any]:
    from dash import dcc, html

    record, experiment = summary.record, summary.record.experiment
    where = address(record.name, record.run)
    others = [name for name in marked if name != where]
    changed = Place((), tuple(("run", name) for name in (others if where in marked else [*marked, where])))
    does = "Leave out of" if where in marked else "Mark for"
    box = dcc.Link(
        "☑" if where in marked else "☐",
        href=changed.href,
        className="mark-run",
        id=f"mark-{record.run}",
        title=f"{does} the comparison: {plain(record.name)}",
    )
    share = min(1.0, summary.trials / summary.budget) if summary.budget else 0.0
    return [
        box,
        html.Div(
            [
                dcc.Link(markup.name_of(record.name, 48), href=run_place(record.name, record.run).href),
                html.Span(_when(record.created), className="quiet small"),
            ],
            className="stack",
        ),
        markup.badge(STATUS_TEXTS[summary.status], summary.status),
        html.Div(
            [
                html.Span(f"{summary.trials:,} of {summary.budget:,}"),
                html.Div(html.Div(style={"width": f"{100 * share:.1f}%"}), className="progress"),
            ],
            className="stack",
        ),
        "–" if summary.speed is None else f"{markup.number(summary.speed, 3)}/s",
        summary.trouble
        or html.Div(
            [html.Span(f"{plain(n, 30)} {markup.number(v)}") for n, v in summary.best.items()] or ["–"],
            className="stack",
        ),
        markup.name_of(str(experiment.get("space", "–")), 32),
        markup.name_of(_algorithm(experiment), 32),
        markup.name_of(str(experiment.get("device") or "–"), 24),
        markup.name_of(str(experiment.get("accuracy") or "–"), 24),
    ]


def _algorithm(experiment: dict[str, Any]) -> str:
    described = experiment.get("algorithm")
    return str(described.get("name", "–")) if isinstance(described, dict) else "–"


def _when(created: str) -> str:
    try:
        return datetime.datetime.fromisoformat(created).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return plain(created, 24)
