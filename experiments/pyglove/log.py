"""The shared state of a recorded `pg.sample`: trials being worked on, and the log that every worker follows."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from autoglyph.experiments.objectives import objective_to_json, parse_objective
from autoglyph.experiments.store import Store, StoreError
from autoglyph.search_spaces import Genome

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS pyglove_trials (run INTEGER, id INTEGER, grp TEXT, status TEXT, genes TEXT, "
    "lease REAL, created REAL, measurements TEXT, error TEXT, PRIMARY KEY (run, id))",
    "CREATE TABLE IF NOT EXISTS pyglove_log (run INTEGER, entry INTEGER, kind TEXT, trial INTEGER, payload TEXT, "
    "PRIMARY KEY (run, entry))",
    "CREATE TABLE IF NOT EXISTS pyglove_metadata (run INTEGER, trial INTEGER, key TEXT, value TEXT, "
    "PRIMARY KEY (run, trial, key))",
)
_ENDED = "autoglyph:ended"


class Entry(NamedTuple):
    """One thing that happened: a DNA "proposed" (payload: genes) or a trial "told" (rewards, or null if skipped)."""

    kind: str
    trial: int
    payload: str


class Log:
    """The run of a name, made if it is new.

    Args:
        path: file of the record.
        name: of the run.
        genome: compiled space.
        metrics: names of what is maximised.
        seed: of the run.
        lease_s: seconds a silent worker keeps its trial.

    Raises:
        StoreError: if the file is no record.
        ValueError: if the run searches another space, other metrics or with another seed.
    """

    def __init__(
        self, path: str | Path, name: str | None, genome: Genome, metrics: Sequence[str], seed: int, lease_s: float
    ) -> None:
        experiment = {
            "domain": "pg.sample",
            "space": "pg.sample",
            "digest": genome.digest,
            "algorithm": {"name": "pg.sample", "settings": {}},
            "objectives": [objective_to_json(parse_objective(f"max:{metric}")) for metric in metrics],
            "seed": seed,
        }
        columns = [json.loads(json.dumps(dataclasses.asdict(c), default=repr)) for c in genome.columns]
        with Store(path, create=True) as store:
            try:
                record = store.create_run(name, "pyglove", experiment, columns)
            except StoreError:
                record = store.run(str(name))
                for key in ("digest", "objectives", "seed"):
                    if record.experiment.get(key) != experiment[key]:
                        raise ValueError(
                            f"The run {name!r} has another {key} than this loop: choose another name."
                        ) from None
        self._run, self._lease_s = record.run, lease_s
        self._db = sqlite3.connect(path, timeout=30.0, isolation_level=None, check_same_thread=False)
        self._lock = threading.RLock()
        with self.transaction():
            for statement in _SCHEMA:
                self._db.execute(statement)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing, and no other process in between; may be nested."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _one(self, sql: str, *values: Any) -> Any:
        return self._db.execute(sql, (self._run, *values)).fetchone()

    def entries(self, start: int) -> list[Entry]:
        """Entries from a number on."""
        sql = "SELECT kind, trial, payload FROM pyglove_log WHERE run = ? AND entry >= ? ORDER BY entry"
        return [Entry(*row) for row in self._db.execute(sql, (self._run, start))]

    def _append(self, kind: str, trial: int, payload: str) -> None:
        (entry,) = self._one("SELECT count(*) FROM pyglove_log WHERE run = ?")
        self._db.execute("INSERT INTO pyglove_log VALUES (?, ?, ?, ?, ?)", (self._run, entry, kind, trial, payload))

    def count(self) -> int:
        """Trials proposed so far."""
        return int(self._one("SELECT count(*) FROM pyglove_trials WHERE run = ?")[0])

    def pending(self) -> int:
        """Trials being worked on."""
        return int(self._one("SELECT count(*) FROM pyglove_trials WHERE run = ? AND status = 'PENDING'")[0])

    def take(self, group: str) -> int | None:
        """The open trial of a group, else one whose lease is over, else None."""
        row = self._one(
            "SELECT id FROM pyglove_trials WHERE run = ? AND status = 'PENDING' AND (grp = ? OR lease < ?) "
            "ORDER BY grp = ? DESC, id LIMIT 1",
            group,
            time.time(),
            group,
        )
        if row is None:
            return None
        sql = "UPDATE pyglove_trials SET grp = ?, lease = ? WHERE run = ? AND id = ?"
        self._db.execute(sql, (group, time.time() + self._lease_s, self._run, row[0]))
        return int(row[0])

    def propose(self, group: str, genes: Sequence[Any]) -> int:
        """Enters a new trial and returns its number, from 1."""
        trial, text, now = self.count() + 1, json.dumps(genes, separators=(",", ":")), time.time()
        values = (self._run, trial, group, "PENDING", text, now + self._lease_s, now, "[]", None)
        self._db.execute("INSERT INTO pyglove_trials VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        self._append("proposed", trial, text)
        return trial

    def state(self, trial: int) -> dict[str, Any]:
        """What is known of a trial."""
        row = self._one(
            "SELECT id, status, genes, created, measurements, error FROM pyglove_trials WHERE run = ? AND id = ?", trial
        )
        state = dict(zip(("id", "status", "genes", "created", "measurements", "error"), row, strict=True))
        metadata = self.metadata(trial)
        return {**state, "measurements": json.loads(state["measurements"]), "metadata": metadata}

    def measure(self, trial: int, measurement: Mapping[str, Any]) -> bool:
        """Adds a measurement and renews the lease; False if the trial is done."""
        with self.transaction():
            state = self.state(trial)
            if state["status"] != "PENDING":
                return False
            text = json.dumps([*state["measurements"], measurement])
            sql = "UPDATE pyglove_trials SET measurements = ?, lease = ? WHERE run = ? AND id = ?"
            self._db.execute(sql, (text, time.time() + self._lease_s, self._run, trial))
            return True

    def finish(self, trial: int, rewards: Sequence[float] | None, error: str | None) -> None:
        """Records a trial for good, once; later calls change nothing."""
        with self.transaction():
            state = self.state(trial)
            if state["status"] != "PENDING":
                return
            measured = state["measurements"]
            last = measured[-1] if measured and rewards is not None else {"metrics": {}, "reward": None}
            values = {**last["metrics"], **({} if last["reward"] is None else {"reward": last["reward"]})}
            metrics = {k: v if math.isfinite(v) else None for k, v in values.items()}
            status = "failed" if rewards is None else "completed"
            (number,) = self._one("SELECT count(*) FROM trials WHERE run = ?")
            rungs = json.dumps([{**m["metrics"], "reward": m["reward"]} for m in measured]) if measured[1:] else None
            seconds = time.time() - state["created"]
            self._db.execute(
                "INSERT INTO trials (run, trial, ask, status, genes, parents, metrics, rungs, seconds, error) "
                "VALUES (?, ?, ?, ?, ?, '[-1,-1]', ?, ?, ?, ?)",
                (self._run, number, trial - 1, status, state["genes"], json.dumps(metrics), rungs, seconds, error),
            )
            sql = "UPDATE pyglove_trials SET status = 'COMPLETED', error = ? WHERE run = ? AND id = ?"
            self._db.execute(sql, (error, self._run, trial))
            self._append("told", trial, json.dumps(rewards))

    def metadata(self, trial: int) -> dict[str, Any]:
        """Kept values of a trial, of the run for trial 0."""
        sql = "SELECT key, value FROM pyglove_metadata WHERE run = ? AND trial = ?"
        return {key: json.loads(value) for key, value in self._db.execute(sql, (self._run, trial))}

    def set_metadata(self, trial: int, key: str, value: Any) -> None:
        """Keeps a value."""
        with self.transaction():
            sql = "INSERT OR REPLACE INTO pyglove_metadata VALUES (?, ?, ?, ?)"
            self._db.execute(sql, (self._run, trial, key, json.dumps(value)))

    def end(self) -> None:
        """Ends the loop for all workers."""
        self.set_metadata(0, _ENDED, True)

    def ended(self) -> bool:
        """Whether a worker ended the loop."""
        return _ENDED in self.metadata(0)
