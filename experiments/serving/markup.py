"""Parts that several pages are made of. Text is set as text: nothing in a record is read as markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from autoglyph.experiments.views.safe_text import plain

GRAPH_CONFIG: Any = {
    "displaylogo": False,
    "responsive": True,
    "scrollZoom": False,
    "modeBarButtonsToRemove": ["autoScale2d", "sendChartToCloud"],  # nothing leaves this machine
    "toImageButtonOptions": {"scale": 2},
}


def aria(name: str, value: str) -> Any:
    """An attribute for those who do not see the page."""
    return {f"aria-{name}": value}


def name_of(text: str, length: int = 80) -> Any:
    """A name of any length: cut on the page, whole in its tooltip."""
    from dash import html

    return html.Span(plain(text, length), title=plain(text, 1000), className="name")


def card(title: Any, *children: Any, note: str | None = None, wide: bool = False, part: str | None = None) -> Any:
    """A part of a page.

    Args:
        title: its heading.
        *children: what it holds.
        note: said under the heading.
        wide: over the whole width of the page.
        part: its id.
    """
    from dash import html

    heading: list[Any] = [] if title is None else [html.H2(title)]
    if note:
        heading.append(html.P(note, className="note"))
    named: Any = {"id": part} if part else {}
    return html.Section([*heading, *children], className="card wide" if wide else "card", **named)


def notice(title: str, text: str) -> Any:
    """A page that says one thing."""
    from dash import dcc, html

    return html.Div([html.H1(title), html.P(plain(text, 1000)), dcc.Link("All runs", href="/")], className="notice")


def table(headings: Sequence[Any], rows: Iterable[Sequence[Any]], *, numeric: Iterable[int] = (), caption: str) -> Any:
    """A table that scrolls within itself where the window is narrow.

    Args:
        headings: of the columns.
        rows: cells.
        numeric: columns that are set right.
        caption: what it shows, for those who hear it.
    """
    from dash import html

    right = set(numeric)
    kind = ["number" if i in right else "" for i in range(len(headings))]
    head = html.Thead(html.Tr([html.Th(h, className=k, scope="col") for h, k in zip(headings, kind, strict=True)]))
    body = html.Tbody([html.Tr([html.Td(c, className=k) for c, k in zip(row, kind, strict=True)]) for row in rows])
    return html.Div(
        html.Table([html.Caption(caption), head, body]), className="scroll", tabIndex="0", role="region",
        **aria("label", caption),
    )  # fmt: skip


def facts(pairs: Iterable[tuple[str, Any]]) -> Any:
    """Names with their values, side by side."""
    from dash import html

    return html.Dl([html.Div([html.Dt(name), html.Dd(value)]) for name, value in pairs], className="facts")


def badge(text: str, kind: str) -> Any:
    """A word with a mark; the kinds differ in shape, not in colour alone."""
    from dash import html

    return html.Span(text, className=f"badge {kind}")


def choices(label: str, options: Iterable[tuple[str, str, bool]]) -> Any:
    """Links of which one is taken.

    Args:
        label: what is chosen.
        options: text, URL and whether it is taken, of each.
    """
    from dash import dcc, html

    links = []
    for text, href, taken in options:
        state = aria("current", "true") if taken else {}
        links.append(html.Span(dcc.Link(text, href=href, className="taken" if taken else ""), **state))
    return html.Div(
        [html.Span(label, className="label"), *links], className="choices", role="group", **aria("label", label)
    )


def graph(figure: Any, part: str, label: str, *, live: bool = False) -> Any:
    """A Plotly figure.

    Args:
        figure: the figure.
        part: its id.
        label: what it shows, for those who hear it.
        live: it is kept when the page changes and only its figure is replaced, so that zoom and focus stay.
    """
    from dash import dcc, html

    above = figure.layout.margin.t or 80
    figure.update_layout(title={"pad": {"t": 26}}, margin={"t": above + 18})  # the first line stands on the edge
    plot = dcc.Graph(
        id={"plot": part} if live else f"{part}-plot",
        figure=figure,
        config=GRAPH_CONFIG,
        style={"height": f"{figure.layout.height or 450}px"},
        responsive=True,
    )
    return html.Div(plot, id=part, className="plot", role="figure", **aria("label", label))


def part(name: str, *children: Any, kind: str = "column") -> Any:
    """What is replaced as a whole when it changes, while the rest of the page stays.

    Args:
        name: unlike that of any other part of the page; parts do not hold live parts.
        *children: what it holds.
        kind: its class.
    """
    from dash import html

    return html.Div(list(children), id={"part": name}, className=kind)


def number(value: float | int | None, digits: int = 4) -> str:
    """A number for people: a few significant digits, thousands in groups."""
    if value is None or value != value:
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    if value in (float("inf"), float("-inf")):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}g}"


def command_line(text: str, part: str) -> Any:
    """A command with a button that copies it."""
    from dash import dcc, html

    return html.Div(
        [html.Code(text, id=part), dcc.Clipboard(target_id=part, title="Copy the command", className="copy")],
        className="command",
    )
