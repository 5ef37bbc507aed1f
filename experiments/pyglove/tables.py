"""The tables that a recorded `pg.sample` has beside its finished trials, and what their rows mean."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autoglyph.experiments.store import RunRecord, Store, StoreError

LOOP = "pg.sample"
ENDED = "autoglyph:ended"

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS pyglove_trials (run INTEGER, id INTEGER, grp TEXT, status TEXT, genes TEXT, "
    "lease REAL, created REAL, measurements TEXT, error TEXT, term INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (run, id))",
    "CREATE TABLE IF NOT EXISTS pyglove_log (run INTEGER, entry INTEGER, kind TEXT, trial INTEGER, payload TEXT, "
    "PRIMARY KEY (run, entry))",
    "CREATE TABLE IF NOT EXISTS pyglove_metadata (run INTEGER, trial INTEGER, key TEXT, value TEXT, "
    "PRIMARY KEY (run, trial, key))",
)
_ADDED = "ALTER TABLE pyglove_trials ADD COLUMN term INTEGER NOT NULL DEFAULT 0"


def make_tables(db: sqlite3.Connection) -> None:
    """Makes the tables where they are not there, and adds what records of earlier versions lack."""
    for statement in _SCHEMA:
        db.execute(statement)
    if "term" not in {row[1] for row in db.execute("PRAGMA table_info(pyglove_trials)")}:
        db.execute(_ADDED)


def visible(reports: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Measurements of a trial without those that a later worker, who began again, measured anew.

    Args:
        reports: all reports in order; those of each worker bear the number of its term.
    """
    kept: list[Mapping[str, Any]] = []
    for report in reports:
        term = report.get("term", 0)
        kept = [m for m in kept if m.get("term", 0) == term or m["step"] < report["step"]]
        kept.append(report)
    return [{key: value for key, value in m.items() if key != "term"} for m in kept]


def state_from(row: Mapping[str, Any], measured: int | None = None) -> dict[str, Any]:
    """A trial as it is known.

    Args:
        row: of the table of trials.
        measured: leave out all but the first so many reports.
    """
    reports = json.loads(row["measurements"])[:measured]
    return {"term": 0, **row, "reports": reports, "measurements": visible(reports)}


def read_loop(path: str | Path, name: str) -> tuple[RunRecord, list[dict[str, Any]], dict[str, Any]]:
    """The run of a recorded loop, the states of its trials, and the values kept with the run.

    Raises:
        StoreError: if there is no such record or run, or it is none of `pg.sample`.
    """
    with Store(path) as store:
        record = store.run(name)
    if record.experiment.get("space") != LOOP:
        raise StoreError(f"The run {name!r} is no recorded pg.sample: read it with `autoglyph show {name}`.")
    db = sqlite3.connect(path, timeout=30.0)
    db.row_factory = sqlite3.Row
    try:
        sql = "SELECT * FROM pyglove_trials WHERE run = ? ORDER BY id"
        rows = [dict(row) for row in db.execute(sql, (record.run,))]
        kept = db.execute("SELECT trial, key, value FROM pyglove_metadata WHERE run = ?", (record.run,)).fetchall()
    finally:
        db.close()
    values: dict[int, dict[str, Any]] = {}
    for trial, key, value in kept:
        values.setdefault(trial, {})[key] = json.loads(value)
    states = [{**state_from(row), "metadata": values.get(row["id"], {})} for row in rows]
    return record, states, values.get(0, {})
