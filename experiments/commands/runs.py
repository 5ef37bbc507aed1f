"""`autoglyph runs`: what a record holds."""

from __future__ import annotations

from autoglyph.experiments.commands import _common
from autoglyph.experiments.commands._common import JsonOption, StoreOption

PANEL, ORDER = _common.INSPECT_PANEL, 20


def command(store: StoreOption = _common.DEFAULT_STORE_PATH, as_json: JsonOption = False) -> None:
    """List the runs of a record."""
    from autoglyph.experiments.store import open_to_read

    with open_to_read(store) as opened:
        counts = opened.trial_counts()
        rows = []
        for record in opened.runs():
            events = opened.events(record.run)
            experiment = record.experiment
            rows.append(
                {
                    "run": record.name,
                    "status": _status(events[-1][1] if events else "started"),
                    "trials": counts.get(record.run, 0),
                    "budget": max([experiment["trials"], *(e["budget"] for _, _, e in events if "budget" in e)]),
                    "space": experiment["space"],
                    "algorithm": experiment["algorithm"]["name"],
                    "device": experiment["device"],
                    "accuracy": experiment["accuracy"],
                    "seed": experiment["seed"],
                    "created": record.created,
                }
            )
    if as_json:
        _common.print_json(rows)
        return
    headings = ["run", "status", "trials", "budget", "space", "algorithm", "device", "accuracy", "seed"]
    _common.print_table(f"Runs in {store}", headings, [[r[h] for h in headings] for r in rows])


def _status(last_event: str) -> str:
    return "running or killed" if last_event in ("started", "resumed") else last_event
