"""Several runs side by side."""

from __future__ import annotations

from typing import Any

from autoglyph.experiments.serving import markup
from autoglyph.experiments.serving.place import Place, address, run_place
from autoglyph.experiments.serving.records import Records
from autoglyph.experiments.views.comparison import Comparison, compare
from autoglyph.experiments.views.figures.comparison import attainment_figure, fronts_figure, growth_figure
from autoglyph.experiments.views.safe_text import plain

PATH = "compare"
_MOST = 12


def layout(records: Records, place: Place) -> Any:
    """The runs that the URL names as `run`.

    Args:
        records: the record.
        place: the choices: `run` for each run.
    """
    from dash import html

    with records.open() as store:
        known = store.runs()
    marked = place.all("run")
    options = []
    for record in reversed(known):
        where = address(record.name, record.run)
        names = [n for n in marked if n != where] if where in marked else [*marked, where]
        href = Place(("compare",), tuple(("run", name) for name in names)).href
        options.append((record.name, href, where in marked))
    chooser = markup.card(
        "Runs", markup.choices("Compared", options), note="Choose two or more of the same objectives.", wide=True
    )
    cards = [markup.part("chosen", chooser, kind="wide")]
    runs = [records.run(where) for where in marked[:_MOST]]
    if len(runs) > 1:
        cards += _comparison(compare(runs))
    return html.Div(
        [html.Div(html.H1("Compare runs"), className="title"), html.Div(cards, className="cards")], id="compare"
    )


def _comparison(seen: Comparison) -> list[Any]:
    from dash import dcc

    rows = [
        [
            dcc.Link(markup.name_of(run.name, 60), href=run_place(run.name, run.record.run).href),
            f"{len(run):,}",
            markup.number(volume),
            markup.number(len(run.front)),
            plain(run.record.experiment.get("algorithm", {}).get("name"), 40),
            plain(run.record.experiment.get("seed"), 20),
        ]
        for run, volume in zip(seen.runs, seen.hypervolume, strict=True)
    ]
    headings = ["Run", "Trials", "Hypervolume", "On the front", "Algorithm", "Seed"]
    cards = [
        markup.part(
            "numbers",
            markup.card(
                "In numbers",
                markup.table(headings, rows, numeric=[1, 2, 3], caption="The runs compared"),
                note="The hypervolume is above one reference point for all, the worst of theirs.",
                wide=True,
            ),
            kind="wide",
        ),
        markup.card(None, markup.graph(fronts_figure(seen), "fronts-graph", "The fronts overlaid", live=True)),
        markup.card(None, markup.graph(growth_figure(seen), "growth-graph", "Hypervolume over trials", live=True)),
    ]
    if any(seen.attainment):
        figure = attainment_figure(seen)
        cards.append(
            markup.card(None, markup.graph(figure, "attainment-graph", "Attainment over seeds", live=True), wide=True)
        )
    return cards
