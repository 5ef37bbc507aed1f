"""One run: its state, and a section of what there is to see of it."""

from __future__ import annotations

import functools
import importlib
from types import ModuleType
from typing import Any

from autoglyph.experiments.pictures.pareto_front import axis_label
from autoglyph.experiments.serving import markup
from autoglyph.experiments.serving.pages.trial import crumbs
from autoglyph.experiments.serving.place import Place, address
from autoglyph.experiments.serving.records import STATUS_TEXTS, Records
from autoglyph.experiments.views.safe_text import plain
from autoglyph.search_spaces import plugins

PATH = "run/*"
_SECTIONS = "autoglyph.experiments.serving.sections"


def layout(records: Records, place: Place) -> Any:
    """A run.

    Args:
        records: the record.
        place: the run; the choice `view` names the section.
    """
    from dash import dcc, html

    run = records.run(place.path[1])
    with records.open() as store:
        summary = records.summary(store, run.record, run)
    known = sections()
    chosen = place.get("view") or next(iter(known))
    if chosen not in known:
        raise ValueError(f"A run has no view {plain(chosen)!r}; choose one of {', '.join(known)}.")
    tabs = [
        html.Span(
            dcc.Link(
                module.TITLE,
                href=Place(place.path, () if name == next(iter(known)) else (("view", name),)).href,
                className="taken" if name == chosen else "",
                id=f"tab-{name}",
            ),
            **(markup.aria("current", "page") if name == chosen else {}),
        )
        for name, module in known.items()
    ]
    experiment = run.record.experiment
    where = address(run.name, run.record.run)
    return html.Div(
        [
            crumbs(run),
            html.Div(
                [
                    html.H1(markup.name_of(run.name, 120)),
                    dcc.Link("Compare", href=Place(("compare",), (("run", where),)).href, className="button plain"),
                ],
                className="title",
            ),
            markup.part(
                "state",
                markup.facts(
                    [
                        ("status", markup.badge(STATUS_TEXTS[summary.status], summary.status)),
                        ("trials", f"{summary.trials:,} of {summary.budget:,}"),
                        ("speed", "–" if summary.speed is None else f"{markup.number(summary.speed, 3)} trials/s"),
                        *((f"best {plain(axis_label(n), 40)}", markup.number(v)) for n, v in summary.best.items()),
                        ("on the front", markup.number(len(run.front))),
                        ("hypervolume", markup.number(run.hypervolume)),
                        ("failed", markup.number(run.num_failed)),
                    ]
                ),
                kind="state",
            ),
            html.P(_source(experiment), className="note"),
            html.Nav(tabs, className="tabs", **markup.aria("label", "Views of the run")),
            known[chosen].layout(records, run, place),
        ],
        id="run",
    )


def _source(experiment: dict[str, Any]) -> str:
    algorithm = experiment.get("algorithm")
    name = algorithm.get("name") if isinstance(algorithm, dict) else None
    device = experiment.get("device")
    batch = f", batch {experiment['batch']}" if experiment.get("batch") else ""
    parts = [
        f"Space {plain(experiment.get('space'))}",
        f"{plain(name)}, seed {plain(experiment.get('seed'))}",
        f"{plain(device)}{batch} (analytic model)" if device else "no device",
        f"accuracy: {plain(experiment.get('accuracy_source') or experiment.get('accuracy'), 200)}",
    ]
    return " · ".join(parts)


@functools.cache
def sections() -> dict[str, ModuleType]:
    """The sections of a run's page by name, in their order."""
    modules = {name: importlib.import_module(f"{_SECTIONS}.{name}") for name in plugins.module_names(_SECTIONS)}
    return dict(sorted(modules.items(), key=lambda item: item[1].ORDER))
