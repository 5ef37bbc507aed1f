"""The Pareto front; a point that is chosen shows its individual beside it."""

from __future__ import annotations

from typing import Any

from autoglyph.experiments.pictures.pareto_front import axis_label
from autoglyph.experiments.run import Run
from autoglyph.experiments.serving import markup, trial_cards
from autoglyph.experiments.serving.place import Place, run_place
from autoglyph.experiments.serving.records import Records
from autoglyph.experiments.views.axes import axis_names, default_axes
from autoglyph.experiments.views.figures.front import front_figure
from autoglyph.experiments.views.individuals import individual
from autoglyph.experiments.views.points import points
from autoglyph.experiments.views.safe_text import plain

TITLE, ORDER = "Front", 10
_LISTED, _SELECTED, _OFFERED = 200, 60, 12


def layout(records: Records, run: Run, place: Place) -> Any:
    """The front, the individual that is chosen, and all members.

    Args:
        records: the record.
        run: the run.
        place: the choices: `axis`, two or three times, and `trial` for the individual that is shown.

    Raises:
        ValueError: if there is no such axis.
    """
    from dash import dcc, html

    axes = place.all("axis")[:3] or default_axes(run)[:2]
    if len(axes) < 2:
        return markup.card("Front", html.P("No trial has finished yet.", className="quiet"))
    trial = _chosen(run, place)
    figure = front_figure(points(run, axes), selected=trial)
    figure.update_layout(uirevision="|".join(axes), **({} if len(axes) == 3 else {"dragmode": "pan"}))
    for trace in figure.data:  # numbers travel as packed arrays, from which Dash cannot tell the point that is clicked
        trace.customdata = [str(number) for number in trace.customdata]
    picture = markup.card(
        None,
        markup.graph(
            figure, "front-graph", f"Pareto front of {len(run):,} trials; the members are listed below", live=True
        ),
        html.Div(id="front-selected"),
        markup.part("axes", _axis_choices(run, place, axes)),
        part="front",
    )
    if trial is None:
        hint = "Click a point of the picture, or a trial of the list: its individual appears here."
        side, below = markup.card("An individual", html.P(hint, className="quiet")), []
    else:
        page = run_place(run.name, run.record.run, trial).href
        title = html.Span([f"Trial {trial:,} ", dcc.Link("all about it ↗", href=page, className="aside")])
        side = trial_cards.summary_card(run, trial, str(records.path), title)
        below = trial_cards.picture_cards(individual(run, trial), place, roofline=False)
    return html.Div(
        [
            html.Div([picture, markup.part("pictures", *below)], className="column"),
            html.Div(
                [markup.part("individual", side), markup.part("members", _members(run, place))], className="column"
            ),
        ],
        className="cards side",
    )


def register(app: Any, records: Records) -> None:
    """What happens when points are clicked or selected."""
    import dash
    from dash import Input, Output, State, html

    @app.callback(  # type: ignore[untyped-decorator]
        Output("url", "search"),
        Input({"plot": "front-graph"}, "clickData"),
        State("url", "pathname"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def choose(clicked: dict[str, Any] | None, pathname: str, search: str) -> str:
        trials = _trials_of(clicked)
        if not trials:
            raise dash.exceptions.PreventUpdate
        return Place.of(pathname, search).changed({"trial": trials[0]}).search

    @app.callback(  # type: ignore[untyped-decorator]
        Output("front-selected", "children"),
        Input({"plot": "front-graph"}, "selectedData"),
        State("url", "pathname"),
        prevent_initial_call=True,
    )
    def select(selected: dict[str, Any] | None, pathname: str) -> Any:
        trials = sorted(set(_trials_of(selected)))
        if not trials:
            return []
        where = Place.of(pathname, "").path
        links = [_link(Place((*where, "trial", str(t))), str(t)) for t in trials[:_SELECTED]]
        more = f" and {len(trials) - _SELECTED:,} more" if len(trials) > _SELECTED else ""
        return html.P([f"{len(trials):,} selected: ", *links, more], className="note")


def _trials_of(data: dict[str, Any] | None) -> list[int]:
    points_of = (data or {}).get("points", [])
    return [int(p["customdata"]) for p in points_of if str(p.get("customdata", "")).isdecimal()]


def _link(place: Place, text: str) -> Any:
    from dash import dcc, html

    return html.Span([dcc.Link(text, href=place.href), " "])


def _chosen(run: Run, place: Place) -> int | None:
    text = place.get("trial")
    if not text:
        return None
    if not text.isdecimal() or len(text) > 12 or int(text) >= len(run):
        raise ValueError(f"The run has no trial {plain(text)!r}; its trials: 0 to {len(run) - 1}.")
    return int(text)


def _axis_choices(run: Run, place: Place, axes: list[str]) -> Any:
    from dash import html

    names = axis_names(run)[:_OFFERED]
    rows = []
    for i, label in enumerate(("Upwards", "Across", "Third")):
        options = []
        taken = axes[i] if i < len(axes) else None
        for name in (None, *names) if i == 2 else tuple(names):
            others = [axis for k, axis in enumerate(axes) if k != i]
            if name in others:
                continue
            chosen = [*axes[:i], *([name] if name else []), *axes[i + 1 :]]
            rest = Place(place.path, tuple((k, v) for k, v in place.query if k != "axis"))
            href = Place(rest.path, (*rest.query, *(("axis", axis) for axis in chosen))).href
            options.append((plain(axis_label(name), 40) if name else "none", href, name == taken))
        rows.append(markup.choices(label, options))
    return html.Details([html.Summary("Axes"), *rows])


def _members(run: Run, place: Place) -> Any:
    from dash import dcc, html

    listed = run.front[::-1][:_LISTED].tolist()
    rows = [
        [
            html.Span(
                [
                    dcc.Link(f"{trial:,}", href=place.changed({"trial": trial}).href),
                    " ",
                    dcc.Link(
                        "↗", href=run_place(run.name, run.record.run, trial).href, title=f"Page of trial {trial:,}"
                    ),
                ]
            ),
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
