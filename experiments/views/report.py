"""The report of a run: all views in one file that opens without a network."""

from __future__ import annotations

import html
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autoglyph.experiments.pictures.pareto_front import replaced_file, subtitle
from autoglyph.experiments.pictures.roofline import roofline_figure
from autoglyph.experiments.run import Run
from autoglyph.experiments.store import DEFAULT_STORE
from autoglyph.experiments.views import page
from autoglyph.experiments.views.architecture_graph import (
    architecture_graph,
    collapsed,
    depth_of,
    expression_graph,
    formula_svg,
    formulas,
)
from autoglyph.experiments.views.axes import axis_names, default_axes
from autoglyph.experiments.views.decisions import importance, side_by_side
from autoglyph.experiments.views.failures import failures
from autoglyph.experiments.views.figures.architecture import graph_figure, kernels_figure
from autoglyph.experiments.views.figures.decisions import decisions_figure, importance_figure
from autoglyph.experiments.views.figures.front import front_figure
from autoglyph.experiments.views.figures.lineage import lineage_figure
from autoglyph.experiments.views.figures.progress import best_figure, hypervolume_figure
from autoglyph.experiments.views.figures.rungs import curves_figure, stopped_figure
from autoglyph.experiments.views.individuals import as_json, individual, replay_command
from autoglyph.experiments.views.lineage import lineage
from autoglyph.experiments.views.points import points
from autoglyph.experiments.views.progress import progress
from autoglyph.experiments.views.rungs import rungs
from autoglyph.experiments.views.safe_text import lines, markup, plain

_INDIVIDUALS = 3
_WIDTH = 10
_POLICY = "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:"
_SCRIPT = """
document.querySelectorAll('.js-plotly-plot').forEach(function (plot) {
  plot.on('plotly_click', function (event) {
    var row = document.getElementById('trial-' + event.points[0].customdata);
    if (row) { location.hash = row.id; }
  });
});
"""

Section = tuple[str, str, list[Any]]
"""Title, HTML and figures."""


def write_report(run: Run, path: Path, *, store: str | Path = DEFAULT_STORE) -> None:
    """Writes all views of a run as one page that needs no other file and no network.

    Text of the record is shown as text whatever it holds, and nothing of the record is run: individuals of a space
    in a Python file are shown by their decisions alone.

    Args:
        run: what to show.
        path: file to write; replaced whole or not at all.
        store: the record, for the commands that are shown.

    Raises:
        ValueError: if the folder is not there.
    """
    with replaced_file(path) as temporary:
        temporary.write_text(report(run, str(store)), encoding="utf-8")


def report(run: Run, store: str = DEFAULT_STORE) -> str:
    """The page as text."""
    from plotly.offline import get_plotlyjs

    sections = list(_sections(run, store))
    links = "".join(f"<a href='#part-{i}'>{markup(title)}</a>" for i, (title, _, _) in enumerate(sections))
    numbers = itertools.count()
    parts = []
    for i, (title, text, figures) in enumerate(sections):
        drawn = "".join(f"<figure>{_div(figure, next(numbers))}</figure>" for figure in figures)
        parts.append(f"<section id='part-{i}'><h2>{markup(title)}</h2>{text}{drawn}</section>")
    return (
        "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{markup(run.name)} – Autoglyph</title><style>{page.STYLE}</style>"
        f"<script>{get_plotlyjs()}</script></head><body><h1>{markup(run.name, 200)}</h1>"
        f"<p class='source'>{markup(subtitle(run), 400)}</p><nav>{links}</nav>"
        f"{''.join(parts)}<script>{_SCRIPT}</script></body></html>\n"
    )


def _div(figure: Any, number: int) -> str:
    text: str = figure.to_html(
        full_html=False,
        include_plotlyjs=False,
        div_id=f"figure-{number}",
        config={"responsive": True, "displaylogo": False},
    )
    return text


def _sections(run: Run, store: str) -> Iterator[Section]:
    yield "Run", page.facts(page.run_facts(run)), []
    if run.objectives and axis_names(run)[1:]:
        names = default_axes(run)
        pairs = list(itertools.combinations(names, 2)) if len(names) > 2 else []
        yield "Front", "", [front_figure(points(run, chosen)) for chosen in (*pairs, names)]
    made = progress(run)
    over_time = [hypervolume_figure(made, "seconds"), best_figure(made, "seconds")] if made.seconds is not None else []
    yield "Progress", "", [hypervolume_figure(made), best_figure(made), *over_time]
    yield "Members of the front", f"<div class='wide'>{page.front_table(run)}</div>", []
    yield from _decisions(run)
    trained = rungs(run)
    if trained.values.size:
        yield "Rungs and hurdles", "", [curves_figure(trained), stopped_figure(trained)]
    if len(run.front):
        best = lineage(run, int(run.front[-1]))
        yield "Lineage", "<p>Of the best in the first objective.</p>", [lineage_figure(best)]
    found = failures(run)
    if found:
        yield "Failures", "".join(_failure(f.cause, f.trials, f.text) for f in found[:50]), []
    picked = run.front[[0, len(run.front) // 2, -1]] if len(run.front) > _INDIVIDUALS else run.front
    for trial in dict.fromkeys(picked[::-1].tolist()):
        yield _individual(run, int(trial), store)


def _decisions(run: Run) -> Iterator[Section]:
    remark, found = "", []
    try:
        found = [importance(run, o.name) for o in run.objectives]
    except ValueError as error:
        remark = f"<p>{markup(error, 200)}</p>"
    names = found[0].names[:_WIDTH] if found else ()
    yield "Decisions", remark, [decisions_figure(side_by_side(run, names=names)), *map(importance_figure, found)]


def _failure(cause: str, trials: list[int], text: str) -> str:
    some = ", ".join(map(str, trials[:20])) + (", …" if len(trials) > 20 else "")
    heading = f"{len(trials):,} trials: {markup(cause, 200)}"
    return f"<details><summary>{heading}</summary><p>Trials {some}.</p><pre>{html.escape(lines(text))}</pre></details>"


def _individual(run: Run, trial: int, store: str) -> Section:
    from autoglyph.experiments.replaying.replayed import costs

    shown = individual(run, trial)
    replay = f"<p>Replay: <code>{markup(replay_command(run, trial, store), 400)}</code></p>"
    text = [page.facts(run.objective_values(trial)), replay]
    figures = []
    if shown.trouble:
        text.append(f"<p>{markup(shown.trouble, 300)}</p>")
    title = f"{run.name}:{trial}"
    written = formulas(shown.value)
    if written:
        drawn = formula_svg(written["latex"]) or ""
        text.append(f"<p>{drawn}</p><p><code>{markup(written['text'], 2000)}</code></p>")
        text.append(f"<p>LaTeX: <code>{html.escape(written['latex'])}</code></p>")
        figures.append(graph_figure(expression_graph(shown.value), title))
    if shown.network is not None:
        graph = architecture_graph(shown.network)
        figures.append(graph_figure(collapsed(graph, depth_of(graph)), title))
        device = run.record.experiment["device"]
        if isinstance(device, str) and ".toml" not in device:
            cost = costs(shown.network, device, run.record.experiment["batch"])
            figures += [kernels_figure(title, cost), roofline_figure(plain(title), cost)]
    content = html.escape(lines(as_json(run, trial), 200_000, 2000))
    text.append(f"<details><summary>JSON of the individual</summary><pre>{content}</pre></details>")
    return f"Trial {trial}", "".join(text), figures
