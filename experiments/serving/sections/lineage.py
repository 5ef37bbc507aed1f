"""Where an individual of the run comes from."""

from __future__ import annotations

from typing import Any

from autoglyph.experiments.run import Run
from autoglyph.experiments.serving import markup, trial_cards
from autoglyph.experiments.serving.place import Place
from autoglyph.experiments.serving.records import Records

TITLE, ORDER = "Lineage", 50
_OFFERED = 12


def layout(records: Records, run: Run, place: Place) -> Any:
    """The ancestors of one trial, by default the best in the first objective.

    Args:
        records: the record.
        run: the run.
        place: the choice `trial`.
    """
    from dash import html

    if len(run.front) == 0:
        return markup.part("lineage", html.P("No trial has finished yet.", className="quiet"))
    best = run.front[::-1][:_OFFERED].tolist()
    text = place.get("trial") or str(best[0])
    if not text.isdecimal() or len(text) > 12:
        raise ValueError(f"There is no trial {text[:40]!r}: a trial is a number.")
    trial = int(text)
    options = [(f"{t:,}", place.changed({"trial": t}).href, t == trial) for t in dict.fromkeys([trial, *best])]
    return markup.part("lineage", markup.choices("Trial", options), trial_cards.lineage_card(run, trial))
