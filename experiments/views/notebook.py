"""What Jupyter shows of runs, fronts and individuals; text of records is escaped."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from autoglyph.experiments.pictures.pareto_front import axis_label, subtitle
from autoglyph.experiments.views import page
from autoglyph.experiments.views.architecture_graph import formula_svg, formulas
from autoglyph.experiments.views.safe_text import markup

if TYPE_CHECKING:
    from autoglyph.experiments.replaying.replayed import Replayed
    from autoglyph.experiments.run import Run

_ROWS = 10


def run_html(run: Run) -> str:
    """A run: what it is, its front as a picture and as a table."""
    heading = f"<h4>{markup(run.name, 200)}</h4><p>{markup(subtitle(run), 300)}</p>"
    return heading + page.facts(page.run_facts(run)) + page.front_image(run) + front_html(run)


def front_html(run: Run) -> str:
    """The members of the front, the best in the first objective first."""
    if len(run.front) == 0:
        return "<p>No finished trial has all objectives yet.</p>"
    return f"<p>{markup(subtitle(run), 300)}: front of {len(run.front):,}</p>" + page.front_table(run, limit=_ROWS)


def individual_html(found: Replayed) -> str:
    """An individual: where it comes from, what was recorded of it, and its formula or its symbolic value."""
    parts = [f"<h4>{markup(found.name, 200)}</h4>", page.facts({"space": found.space})]
    if found.recorded:
        parts.append(page.facts({axis_label(name): value for name, value in found.recorded.items()}))
    written = formulas(found.individual)
    if written:
        parts += [formula_svg(written["latex"]) or "", f"<p><code>{markup(written['text'], 2000)}</code></p>"]
    else:
        parts.append(f"<details><summary>value</summary><pre>{html.escape(repr(found.individual))}</pre></details>")
    parts.append(f"<p><code>autoglyph replay {markup(found.name, 200)} --summary</code></p>")
    return "".join(parts)
