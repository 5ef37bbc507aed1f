"""The Dash application: one page that is a function of its URL and of the record.

Pages are files of `pages`. All choices that people make are part of the URL, so every view has an address, and what a
page shows is made anew whenever its URL or the part of the record that it shows has changed.
"""

from __future__ import annotations

import functools
import importlib
import sys
import time
import traceback
from types import ModuleType
from typing import Any

from autoglyph.experiments.serving.changes import changes
from autoglyph.experiments.serving.pages.run import sections
from autoglyph.experiments.serving.place import Place
from autoglyph.experiments.serving.records import Records
from autoglyph.experiments.store import StoreError
from autoglyph.experiments.views.individuals import as_json
from autoglyph.search_spaces import plugins

_PACKAGE = "autoglyph.experiments.serving.pages"
_TICK_MS = 1000
_REST = 4.0
"""A page that changes is drawn anew after at least so many times as long as drawing it took."""

_LIVE = ((1, "part"), (2, "plot"))

_INDEX = """<!DOCTYPE html>
<html lang="en">
  <head>
    {%metas%}
    <title>{%title%}</title>
    {%favicon%}
    {%css%}
  </head>
  <body>
    <noscript>This page needs JavaScript, all of which comes from this server.</noscript>
    {%app_entry%}
    <footer>{%config%}{%scripts%}{%renderer%}</footer>
  </body>
</html>"""


def make_app(records: Records) -> Any:
    """The application over a record.

    Args:
        records: the open record.
    """
    import dash
    import flask
    import pandas as pd  # noqa: F401 - two threads that import it at once would see half of it
    import plotly.graph_objects  # noqa: F401
    from dash import ALL, Input, Output, State, dcc, html

    app = dash.Dash(
        __name__,
        title="Autoglyph",
        update_title="",
        index_string=_INDEX,
        serve_locally=True,
        suppress_callback_exceptions=True,  # the parts of a page are there once it is shown
        add_log_handler=False,
    )
    app.layout = html.Div(
        [
            dcc.Location(id="url", refresh=False),
            dcc.Store(id="seen"),
            dcc.Store(id="news"),
            dcc.Interval(id="tick", interval=_TICK_MS),
            html.A("Skip to the content", href="#page", className="skip"),
            html.Header(
                html.Div(
                    [
                        dcc.Link([html.Span("◆", className="mark"), "Autoglyph"], href="/", className="brand"),
                        html.Nav([dcc.Link("Runs", href="/"), dcc.Link("Compare", href="/compare")]),
                        html.Span(records.path.name, className="record", title="The record"),
                    ],
                    className="bar",
                ),
                className="top",
            ),
            html.Main(html.P("Reading the record …", className="quiet"), id="page", tabIndex="-1"),
        ]
    )

    # While a question is on its way no other one is asked: on a busy machine the answers would all come too late.
    waiting = [(Output("tick", "disabled"), True, False)]

    @app.callback(  # type: ignore[untyped-decorator]
        Output("news", "data"),
        Input("tick", "n_intervals"),
        State("url", "pathname"),
        State("url", "search"),
        State("seen", "data"),
        running=waiting,
        prevent_initial_call=True,
    )
    def ask(_: int | None, pathname: str | None, search: str | None, seen: dict[str, Any] | None) -> Any:
        place = Place.of(pathname, search)
        if seen is None or seen["place"] != place.href or time.time() < seen["rest_until"]:
            raise dash.exceptions.PreventUpdate
        stamp = records.stamp(place)
        if stamp == seen["stamp"]:
            raise dash.exceptions.PreventUpdate
        return stamp

    @app.callback(  # type: ignore[untyped-decorator]
        Output("page", "children"),
        Output({"part": ALL}, "children"),
        Output({"plot": ALL}, "figure"),
        Output("seen", "data"),
        Input("url", "pathname"),
        Input("url", "search"),
        Input("news", "data"),
        State("seen", "data"),
        running=waiting,
    )
    def show(pathname: str | None, search: str | None, _: Any, seen: dict[str, Any] | None) -> Any:
        place = Place.of(pathname, search)
        stamp = records.stamp(place)
        if seen is not None and seen["place"] == place.href and stamp == seen["stamp"]:
            raise dash.exceptions.PreventUpdate
        started = time.perf_counter()
        page = _page(records, place)
        there = [[f"{kind} {out['id'][kind]}" for out in dash.ctx.outputs_list[i]] for i, kind in _LIVE]
        view = [*place.path, place.get("view")]
        known = seen["digests"] if seen is not None and seen["view"] == view else {}
        whole, parts, plots, digests = changes(page, there, known)
        rest_until = time.time() + _REST * (time.perf_counter() - started)
        now = {"place": place.href, "view": view, "stamp": stamp, "rest_until": rest_until, "digests": digests}
        return whole, parts, plots, now

    @app.server.route("/download/<where>/<int:trial>.json")  # type: ignore[untyped-decorator]
    def download(where: str, trial: int) -> Any:
        try:
            text = as_json(records.run(where), trial)
        except (StoreError, ValueError) as error:
            return flask.Response(f"{error}\n", 404, mimetype="text/plain")
        name = f"attachment; filename=trial-{trial}.json"
        return flask.Response(text, mimetype="application/json", headers={"Content-Disposition": name})

    for module in [*_pages().values(), *sections().values()]:
        if hasattr(module, "register"):
            module.register(app, records)
    return app


def _page(records: Records, place: Place) -> Any:
    from autoglyph.experiments.serving import markup

    try:
        for module in _pages().values():
            if _fits(module.PATH, place.path):
                return module.layout(records, place)
        return markup.notice("There is no such page", "Choose a run from the list.")
    except (StoreError, ValueError) as error:
        return markup.notice("This cannot be shown", str(error))
    except Exception:  # a record of any origin must not take the page down; its owner reads the cause
        print(traceback.format_exc(), file=sys.stderr)
        return markup.notice("This cannot be shown", "The record holds something unexpected; the server printed what.")


@functools.cache
def _pages() -> dict[str, ModuleType]:
    return {name: importlib.import_module(f"{_PACKAGE}.{name}") for name in plugins.module_names(_PACKAGE)}


def _fits(pattern: str, path: tuple[str, ...]) -> bool:
    parts = tuple(pattern.split("/")) if pattern else ()
    return len(parts) == len(path) and all(a in ("*", b) for a, b in zip(parts, path, strict=True))
