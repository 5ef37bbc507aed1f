"""Parallel coordinates of the decisions, and how much each of them matters."""

from __future__ import annotations

import functools
import math
from typing import Any

from autoglyph.experiments.pictures.pareto_front import axis_label
from autoglyph.experiments.run import Run
from autoglyph.experiments.serving import markup
from autoglyph.experiments.serving.place import Place
from autoglyph.experiments.serving.records import Records
from autoglyph.experiments.views.decisions import Importance, importance, side_by_side
from autoglyph.experiments.views.figures.decisions import decisions_figure, importance_figure
from autoglyph.experiments.views.safe_text import plain

TITLE, ORDER = "Decisions", 30
_GROWTH = 1.2


def layout(records: Records, run: Run, place: Place) -> Any:
    """Both pictures for one objective.

    Args:
        records: the record.
        run: the run.
        place: the choice `result` names the objective.

    Raises:
        ValueError: if there is no such objective.
    """
    from dash import dcc, html

    waiting = html.P("Fitting a forest to tell which decisions matter …", className="quiet")
    names = [o.name for o in run.objectives]
    result = place.get("result") or names[0]
    if result not in names:
        raise ValueError(f"The run has no objective {plain(result)!r}; choose one of {', '.join(map(plain, names))}.")
    options = [(plain(axis_label(name), 40), place.changed({"result": name}).href, name == result) for name in names]
    figure = decisions_figure(side_by_side(run, result))
    figure.update_layout(uirevision=result)
    label = "Decisions of the front and of an even sample of the trials"
    return html.Div(
        [
            markup.part("result", markup.choices("Judged by", options)),
            markup.card(
                None,
                markup.graph(figure, "decisions-graph", label, live=True),
                note="Drag along an axis to keep the trials within; drag its name to move it.",
                wide=True,
            ),
            markup.part(f"importance of {result}", markup.card(None, html.Div(waiting, id="importance-place"))),
            markup.part("growth", dcc.Store(id="growth-of-run", data=_growth(run))),
        ],
        className="column",
    )


def register(app: Any, records: Records) -> None:
    """The importances come behind the rest, since a forest takes seconds to fit, and again when the run has grown."""
    from dash import Input, Output, State, html

    @app.callback(  # type: ignore[untyped-decorator]
        Output("importance-place", "children"),
        Input("growth-of-run", "data"),
        State("url", "pathname"),
        State("url", "search"),
    )
    def matter(_: int, pathname: str, search: str) -> Any:
        place = Place.of(pathname, search)
        run = records.run(place.path[1])
        result = place.get("result") or run.objectives[0].name
        try:
            found = _importance(_Asked(run, result))
        except ValueError as error:
            return html.P(plain(error, 200), className="quiet")
        return markup.graph(importance_figure(found), "importance-graph", "Importance of the decisions")


def _growth(run: Run) -> int:
    """How often the run has grown by a fifth."""
    return int(math.log(len(run) + 1, _GROWTH))


class _Asked:
    """A run and an objective; equal while the run has grown by little, since a forest takes a while to fit."""

    def __init__(self, run: Run, result: str) -> None:
        self.run, self.result = run, result
        self._key = (run.record.run, run.record.created, result, _growth(run))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@functools.lru_cache(maxsize=32)
def _importance(asked: _Asked) -> Importance:
    return importance(asked.run, asked.result)
