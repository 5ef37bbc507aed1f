"""Several runs side by side."""

from __future__ import annotations

from typing import Any

from autoglyph.experiments.serving import markup
from autoglyph.experiments.serving.place import Place, address
from autoglyph.experiments.serving.records import Records

PATH = "compare"


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
    return html.Div(
        [
            html.Div(html.H1("Compare runs"), className="title"),
            html.Div(
                markup.card("Runs", markup.choices("Compared", options), note="Choose two or more.", wide=True),
                className="cards",
            ),
        ]
    )
