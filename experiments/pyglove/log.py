"""The shared state of a recorded `pg.sample`: trials being worked on, and the log that every worker follows."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from autoglyph.experiments.objectives import objective_to_json, parse_objective
from autoglyph.experiments.pyglove.tables import ENDED, LOOP, make_tables, state_from, visible
from autoglyph.experiments.store import Store, StoreError, TrialRecord, insert_trials
from autoglyph.search_spaces import Genome


class Entry(NamedTuple):
    """One thing that happened.

    Attributes:
        kind: "proposed" (payload: genes), "told" (rewards, or null if skipped) or "judged" (by the early stopping
            policy: after how many measurements, and whether it stops).
        trial: number of the trial.
        payload: as JSON text.
    """

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
            "domain": LOOP,
            "space": LOOP,
            "digest": genome.digest,
            "algorithm": {"name": LOOP, "settings": {}},
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
        self._db.row_factory = sqlite3.Row
        weakref.finalize(self, self._db.close)
        self._held: dict[int, int] = {}
        self._lock = threading.RLock()
        with self.transaction():
            make_tables(self._db)

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
        with self._lock:
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
        """The open trial of a group, else one whose lease is over, which begins a new term of it; else None."""
        row = self._one(
            "SELECT id, grp FROM pyglove_trials WHERE run = ? AND status = 'PENDING' AND (grp = ? OR lease < ?) "
            "ORDER BY grp = ? DESC, id LIMIT 1",
            group,
            time.time(),
            group,
        )
        if row is None:
            return None
        trial, holder = row
        sql = "UPDATE pyglove_trials SET grp = ?, lease = ?, term = term + ? WHERE run = ? AND id = ?"
        self._db.execute(sql, (group, time.time() + self._lease_s, int(holder != group), self._run, trial))
        self._held[trial] = self.term(trial)
        return int(trial)

    def term(self, trial: int) -> int:
        """How many workers had a trial before its present one."""
        return int(self._one("SELECT term FROM pyglove_trials WHERE run = ? AND id = ?", trial)[0])

    def renew(self) -> None:
        """Renews the leases of the trials that this process holds; the next call tries again where the file is busy."""
        sql = "UPDATE pyglove_trials SET lease = ? WHERE run = ? AND id = ? AND term = ? AND status = 'PENDING'"
        with contextlib.suppress(sqlite3.OperationalError), self.transaction():
            for trial, term in list(self._held.items()):
                self._db.execute(sql, (time.time() + self._lease_s, self._run, trial, term))

    def propose(self, group: str, genes: Sequence[Any]) -> int:
        """Enters a new trial and returns its number, from 1."""
        trial, text, now = self.count() + 1, json.dumps(genes, separators=(",", ":")), time.time()
        self._db.execute(
            "INSERT INTO pyglove_trials (run, id, grp, status, genes, lease, created, measurements, term) "
            "VALUES (?, ?, ?, 'PENDING', ?, ?, ?, '[]', 0)",
            (self._run, trial, group, text, now + self._lease_s, now),
        )
        self._append("proposed", trial, text)
        self._held[trial] = 0
        return trial

    def state(self, trial: int, *, measured: int | None = None) -> dict[str, Any]:
        """What is known of a trial.

        Args:
            trial: its number.
            measured: leave out all but the first so many reports.
        """
        row = self._one("SELECT * FROM pyglove_trials WHERE run = ? AND id = ?", trial)
        return {**state_from(dict(row), measured), "metadata": self.metadata(trial)}

    def measure(self, trial: int, term: int, measurement: Mapping[str, Any]) -> str | None:
        """Adds a measurement and renews the lease.

        Returns:
            None, or why it was refused: the trial is done, or another worker has it now.
        """
        with self.transaction():
            state = self.state(trial)
            if state["status"] != "PENDING":
                return "is done"
            if state["term"] != term:
                return "was handed to another worker when this one was silent"
            text = json.dumps([*state["reports"], {**measurement, "term": term}])
            sql = "UPDATE pyglove_trials SET measurements = ?, lease = ? WHERE run = ? AND id = ?"
            self._db.execute(sql, (text, time.time() + self._lease_s, self._run, trial))
            return None

    def judged(self, trial: int, stops: bool) -> None:
        """Records what the early stopping policy said of a trial as it is now."""
        with self.transaction():
            payload = {"measured": len(self.state(trial)["reports"]), "stops": stops}
            self._append("judged", trial, json.dumps(payload))

    def finish(self, trial: int, term: int, rewards: Sequence[float] | None, error: str | None) -> None:
        """Records a trial for good, once; later calls, and those of workers that lost it, change nothing."""
        with self.transaction():
            self._held.pop(trial, None)
            state = self.state(trial)
            if state["status"] != "PENDING" or state["term"] != term:
                return
            measured = visible(state["reports"])
            last = measured[-1] if measured and rewards is not None else {"metrics": {}, "reward": None}
            values = {**last["metrics"], **({} if last["reward"] is None else {"reward": last["reward"]})}
            metrics = {k: v if math.isfinite(v) else None for k, v in values.items()}
            status = "failed" if rewards is None else "completed"
            (number,) = self._one("SELECT count(*) FROM trials WHERE run = ?")
            rungs = json.dumps([{**m["metrics"], "reward": m["reward"]} for m in measured]) if measured[1:] else None
            now = time.time()
            finished = TrialRecord(
                trial=number,
                ask=trial - 1,
                status=status,
                genes=state["genes"],
                parents="[-1,-1]",
                metrics=json.dumps(metrics),
                rungs=rungs,
                seconds=now - state["created"],
                error=error,
            )
            insert_trials(self._db, self._run, [finished])
            sql = "UPDATE pyglove_trials SET status = 'COMPLETED', error = ?, lease = ? WHERE run = ? AND id = ?"
            self._db.execute(sql, (error, now, self._run, trial))
            self._append("told", trial, json.dumps(rewards))

    def metadata(self, trial: int) -> dict[str, Any]:
        """Kept values of a trial, of the run for trial 0."""
        sql = "SELECT key, value FROM pyglove_metadata WHERE run = ? AND trial = ?"
        with self._lock:
            return {key: json.loads(value) for key, value in self._db.execute(sql, (self._run, trial))}

    def set_metadata(self, trial: int, key: str, value: Any) -> None:
        """Keeps a value."""
        with self.transaction():
            sql = "INSERT OR REPLACE INTO pyglove_metadata VALUES (?, ?, ?, ?)"
            self._db.execute(sql, (self._run, trial, key, json.dumps(value)))

    def end(self) -> None:
        """Ends the loop for all workers."""
        self.set_metadata(0, ENDED, True)

    def ended(self) -> bool:
        """Whether a worker ended the loop."""
        return ENDED in self.metadata(0)
