"""Pieces of HTML that stand by themselves: tables, facts and text of records, all of it escaped."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autoglyph.experiments.pictures import pareto_front
from autoglyph.experiments.pictures.pareto_front import axis_label
from autoglyph.experiments.run import Run
from autoglyph.experiments.views.safe_text import markup

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; margin: 0 auto; max-width: 1200px; padding: 0 16px 48px; }
h1 { font-size: 1.5em; margin: 24px 0 0; overflow-wrap: anywhere; } h2 { font-size: 1.2em; margin: 32px 0 8px; }
p.source { color: #555; margin: 4px 0 16px; overflow-wrap: anywhere; }
nav a { margin-right: 14px; } a { color: #0072B2; } a:focus, summary:focus { outline: 2px solid #D55E00; }
table { border-collapse: collapse; font-size: 13px; } th { text-align: left; border-bottom: 1px solid #888; }
th, td { padding: 3px 12px 3px 0; vertical-align: top; } td { overflow-wrap: anywhere; }
td.number { text-align: right; white-space: nowrap; overflow-wrap: normal; }
tr:target { background: #fff3c4; } .wide { overflow-x: auto; max-height: 480px; overflow-y: auto; }
pre { background: #f4f4f4; padding: 8px; overflow: auto; max-height: 320px; font-size: 12px; }
code { background: #f4f4f4; padding: 1px 4px; overflow-wrap: anywhere; }
figure { margin: 0 0 16px; overflow-x: auto; }
"""


def table(
    headings: Sequence[str], rows: Iterable[Sequence[Any]], *, ids: Sequence[str] | None = None, limit: int = 200
) -> str:
    """A table; numbers are set right.

    Args:
        headings: plain text.
        rows: of plain values.
        ids: of the rows, for links; of letters, digits and dashes.
        limit: characters of a cell.
    """
    lines = ["<table><thead><tr>", *(f"<th scope='col'>{markup(h)}</th>" for h in headings), "</tr></thead><tbody>"]
    for i, row in enumerate(rows):
        lines.append(f"<tr id='{html.escape(ids[i])}'>" if ids else "<tr>")
        for value in row:
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            lines.append(f"<td{' class=number' if is_number else ''}>{markup(written(value), limit)}</td>")
        lines.append("</tr>")
    return "".join([*lines, "</tbody></table>"])


def facts(values: Mapping[str, Any]) -> str:
    """Names and values as a table of two columns."""
    rows = [
        f"<tr><th scope='row'>{markup(name)}</th><td>{markup(written(value), 300)}</td></tr>"
        for name, value in values.items()
    ]
    return f"<table>{''.join(rows)}</table>"


def written(value: Any) -> str:
    """A value for people: five significant digits, thousands in groups."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, float):
        return f"{value:,.0f}" if 1e5 <= abs(value) < 1e15 else f"{value:.5g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def run_facts(run: Run) -> dict[str, Any]:
    """What a run is, in the words of its record."""
    experiment = run.record.experiment
    algorithm = experiment["algorithm"]
    settings = ", ".join(f"{name}={value}" for name, value in algorithm["settings"].items())
    return {
        "space": experiment["space"],
        "algorithm": f"{algorithm['name']}({settings})",
        "objectives": ", ".join(axis_label(o.name) for o in run.objectives),
        "seed": experiment["seed"],
        "device": experiment["device"],
        "accuracy": f"{experiment['accuracy']}: {experiment['accuracy_source']}",
        "started": run.record.created,
        "trials": f"{len(run):,}, {int((~run.completed).sum()):,} of them failed",
        "front": f"{len(run.front):,} trials",
        "hypervolume": run.hypervolume,
    }


def front_table(run: Run, *, limit: int = 200) -> str:
    """The members of the front, the best in the first objective first."""
    trials = run.front[::-1][:limit].tolist()
    names = [o.name for o in run.objectives]
    others = [m for m in run.metrics if m not in names]
    headings = ["trial", *(axis_label(name) for name in [*names, *others]), "decisions"]
    rows = [
        [t, *run.objective_values(t).values(), *(float(run.metrics[m][t]) for m in others),
         ", ".join(f"{name}={value}" for name, value in decided.items())]
        for t, decided in zip(trials, run.decisions_of(trials), strict=True)
    ]  # fmt: skip
    more = f"<p>The first {limit} of {len(run.front):,}.</p>" if len(run.front) > limit else ""
    return table(headings, rows, ids=[f"trial-{t}" for t in trials], limit=1000) + more


def front_image(run: Run) -> str:
    """The front as a picture within the page."""
    import tempfile
    from pathlib import Path

    if len(run.front) == 0:
        return "<p>No finished trial has all objectives yet.</p>"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "front.png"
        pareto_front.write_image(run, path)
        return image(path.read_bytes(), "Pareto front")


def image(png: bytes, what: str) -> str:
    """A PNG within the page."""
    data = base64.b64encode(png).decode("ascii")
    return f"<img alt='{html.escape(what)}' style='max-width:100%;width:640px' src='data:image/png;base64,{data}'>"
