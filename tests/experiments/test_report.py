"""Report, terminal, notebook and figures of any record, however hostile its text."""

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from small_runs import COLUMNS, cloud, experiment, run_of, store_run, trials

from autoglyph.experiments.replaying.replayed import Replayed, replay
from autoglyph.experiments.run import Run
from autoglyph.experiments.store import RunRecord, Store
from autoglyph.experiments.views.architecture_graph import (
    architecture_graph,
    collapsed,
    depth_of,
    expression_graph,
    formula_svg,
    formulas,
    places,
)
from autoglyph.experiments.views.comparison import compare
from autoglyph.experiments.views.decisions import importance, side_by_side
from autoglyph.experiments.views.figures.architecture import graph_figure
from autoglyph.experiments.views.figures.comparison import attainment_figure, fronts_figure, growth_figure
from autoglyph.experiments.views.figures.decisions import decisions_figure, importance_figure
from autoglyph.experiments.views.figures.front import front_figure
from autoglyph.experiments.views.figures.lineage import lineage_figure
from autoglyph.experiments.views.figures.progress import best_figure, hypervolume_figure
from autoglyph.experiments.views.figures.rungs import curves_figure, stopped_figure
from autoglyph.experiments.views.lineage import lineage
from autoglyph.experiments.views.points import points
from autoglyph.experiments.views.progress import progress
from autoglyph.experiments.views.report import report
from autoglyph.experiments.views.rungs import rungs
from autoglyph.experiments.views.safe_text import lines, markup, plain
from autoglyph.hardware_models import record
from autoglyph.search_spaces.space import load_space

EVIL = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>\x1b[2J\ud800$x$" + "A" * 5_000


class Tags(HTMLParser):
    """Elements and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)


def hostile(path: Path) -> Run:
    columns = [{**c, "name": EVIL + str(i), "candidates": [EVIL + str(v) for v in c["candidates"]]} for i, c in
               enumerate(COLUMNS)]  # fmt: skip
    records = trials(cloud(60), [[i - 1] if i else [] for i in range(60)])
    for i, trial in enumerate(records):
        metrics = {**json.loads(trial.metrics), EVIL: 1.0, "odd": EVIL}
        rungs_text = json.dumps([{"top1": 1.0, EVIL: 2.0}])
        records[i] = trial._replace(metrics=json.dumps(metrics), rungs=rungs_text)
    records[5] = records[5]._replace(status="failed", error="Traceback\n" + EVIL.replace("\ud800", ""))
    described = experiment(space=EVIL, device=EVIL, accuracy=EVIL, accuracy_source=EVIL, domain=EVIL,
                           algorithm={"name": EVIL, "settings": {EVIL: EVIL}})  # fmt: skip
    with Store(path, create=True) as store:
        made = store.create_run(EVIL.replace("\ud800", ""), "r", described, columns)
        store.append_trials(made.run, records)
    return Run.open(made.name, path)


def figures_of(run: Run) -> Iterator[Any]:
    yield front_figure(points(run), selected=int(run.front[0]))
    yield front_figure(points(run, ["top1", "latency_ms", "madds"]))
    made = progress(run)
    yield from (hypervolume_figure(made), best_figure(made), hypervolume_figure(made, "seconds"))
    yield from (decisions_figure(side_by_side(run)), importance_figure(importance(run)))
    yield from (curves_figure(rungs(run), selected=0), stopped_figure(rungs(run)))
    yield lineage_figure(lineage(run, int(run.front[-1])))
    both = compare([run, run])
    yield from (fronts_figure(both), growth_figure(both), attainment_figure(both))


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from strings(key)
            yield from strings(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from strings(inner)


def test_hostile_text_is_text_in_report_and_figures(tmp_path: Path) -> None:
    run = hostile(tmp_path / "r.db")
    text = report(run)
    text.encode("utf-8")
    tags = Tags(text)
    drawn = sum(1 for tag, _ in tags.found if tag == "figure")
    scripts = [a for tag, a in tags.found if tag == "script"]
    assert drawn > 8 and len(scripts) == 2 + drawn and not any("src" in a for a in scripts)
    assert not any(tag in ("img", "iframe", "link") for tag, _ in tags.found)
    assert not any(name.startswith("on") for _, attributes in tags.found for name in attributes)
    assert "A" * 2001 not in text and "&lt;img" in text
    for figure in figures_of(run):
        shown = list(strings(json.loads(figure.to_json())))
        assert not any("<img" in s or "<script" in s or "\x1b" in s or len(s) > 3000 for s in shown)
        title = figure.layout.title.text
        assert "&lt;/script" in title and "trials" in title


def test_hostile_text_is_text_in_the_terminal(tmp_path: Path, run_cli: Callable[..., Any]) -> None:
    path = tmp_path / "r.db"
    name = hostile(path).name
    for arguments in (("show", name), ("show", name, 5), ("pareto", name), ("runs",)):
        output = run_cli(*arguments, "--store", path)
        assert output.code == 0, output.err
        assert "\x1b" not in output.out and max(map(len, output.out.splitlines())) < 5000
        output.out.encode("utf-8")
    assert run_cli("show", name, 5, "--store", path, "--json").json["run"] == name


def test_a_record_that_is_not_utf8_is_shown(tmp_path: Path, run_cli: Callable[..., Any]) -> None:
    path = tmp_path / "r.db"
    store_run(path, trials(cloud(50)))
    with sqlite3.connect(path) as db:
        db.execute("INSERT INTO runs SELECT 2, CAST(x'ff3c623e' AS TEXT), created, experiment, columns FROM runs")
        fields = "trial, ask, status, genes, parents, metrics, rungs, seconds, error"
        db.execute(f"INSERT INTO trials (run, {fields}) SELECT 2, {fields} FROM trials")
    db.close()
    name = r"\xff<b>"
    assert run_cli("runs", "--store", path, "--json").json[1]["run"] == name
    assert len(Run.open(name, path)) == 50
    assert run_cli("pareto", name, "--store", path, "--html", tmp_path / "r.html").code == 0
    assert "<b>" not in (tmp_path / "r.html").read_text().split("</script>", 1)[1]


def test_a_page_of_a_run_without_results_says_so() -> None:
    empty = Run(RunRecord(1, "r", "2026-01-01T00:00:00+00:00", experiment(), COLUMNS), [])
    text = report(empty)
    assert "No finished trial has" in text and "No trial has finished yet" in text
    assert "No finished trial" in empty._repr_html_()


def test_every_figure_says_run_device_and_source_and_has_units() -> None:
    run = run_of(cloud(80), rungs=[json.dumps([{"top1": 1.0}])] * 80)
    for figure in figures_of(run):
        title = figure.layout.title.text
        assert "run r" in title and "tpu_v3 (analytic model)" in title and "accuracy: trained" in title
    figure = front_figure(points(run))
    assert figure.layout.xaxis.title.text == "latency (ms)" and figure.layout.yaxis.title.text == "top-1 accuracy (%)"
    front = next(t for t in figure.data if t.name.startswith("Pareto"))
    assert sorted(front.customdata) == sorted(run.front)


def test_notebook_shows_runs_fronts_and_individuals() -> None:
    run = run_of(cloud(80))
    assert "data:image/png;base64" in run._repr_html_() and "top-1 accuracy (%)" in run.members._repr_html_()
    assert repr(run) == "<run 'r': 80 trials>" and "of the run 'r'" in repr(run.members)
    assert "<svg" in replay("activation:swish")._repr_html_()
    evil = Replayed(EVIL, {"value": EVIL}, EVIL, {EVIL: 1.0})._repr_html_()
    assert not {"script", "img"} & {tag for tag, _ in Tags(evil).found}


@pytest.mark.parametrize(
    ("name", "individual_name"), [("efficientnet", "b0"), ("evolved_transformer", "transformer-tiny")]
)
def test_the_graph_of_an_architecture_counts_what_its_workload_counts(name: str, individual_name: str) -> None:
    space = load_space(name)
    individual = space.individual(individual_name)
    graph, workload = architecture_graph(individual), record(individual)
    for level in (1, 2, 9):
        drawn = collapsed(graph, level)
        assert sum(n.madds for n in drawn.nodes) == workload.madds
        assert sum(n.parameters for n in drawn.nodes) == workload.parameters
        assert sum(n.operations for n in drawn.nodes) == len(graph.nodes)
        at = places(drawn)
        assert len(set(at)) == len(at)
    assert len(collapsed(graph, depth_of(graph)).nodes) <= 60
    stage = next(n.path[0] for n in graph.nodes if len(n.path) > 2)
    part = collapsed(graph, 9, (stage,))
    assert all(n.path[0] == stage for n in part.nodes) and len(graph_figure(part, "x").data[1].x) == len(part.nodes)


def test_expressions_are_formulas_and_trees() -> None:
    program = replay("activation:swish").individual
    written = formulas(program)
    assert written["text"] == "gate(beta * x, x)"
    svg = formula_svg(written["latex"])
    assert svg is not None and svg.startswith("<svg") and formula_svg(r"\nosuch{x}") is None
    graph = expression_graph(program)
    assert graph.nodes[-1].name == "gate" and len(graph.edges) == 3
    assert formulas(3) == {}


def test_safe_text() -> None:
    assert plain("a\nb\tc\x1b[1m") == "a b c\\x1b[1m" and len(plain("x" * 10**7)) == 60
    assert markup("<a href='x'>&$") == "&lt;a href=&#x27;x&#x27;&gt;&amp;&#36;"
    assert lines("a\n\x07b") == "a\n\\x07b" and re.fullmatch(r"…\n.*", lines("y" * 10**6), re.DOTALL)
