"""The record: one SQLite file to which the driver appends, and which everything else only reads.

Decisions and metrics are JSON text, so SQLite's own functions and any other program can query them, and
opening a record of unknown origin runs nobody's code. Finished trials never change: triggers refuse it.
"""

from __future__ import annotations

import contextlib
import datetime
import itertools
import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from autoglyph.experiments.store_file import StoreError, check_file, connect, connect_to_read, explain, interrupt_later

__all__ = ["DEFAULT_STORE", "SCHEMA_VERSION", "RunRecord", "Store", "StoreError", "TrialRecord"]

DEFAULT_STORE = "autoglyph.db"
APPLICATION_ID = 0x4175676C  # "Augl"
SCHEMA_VERSION = 4

_SCHEMA = """
CREATE TABLE runs (
  run INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  created TEXT NOT NULL,
  experiment TEXT NOT NULL CHECK (json_valid(experiment)),
  columns TEXT NOT NULL CHECK (json_valid(columns))
);
CREATE TABLE trials (
  run INTEGER NOT NULL REFERENCES runs (run),
  trial INTEGER NOT NULL,
  ask INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('completed', 'failed')),
  genes TEXT NOT NULL,
  parents TEXT NOT NULL,
  metrics TEXT NOT NULL,
  rungs TEXT,
  seconds REAL NOT NULL,
  error TEXT,
  gate TEXT,
  arrivals TEXT,
  fingerprint TEXT,
  copies INTEGER,
  recorded REAL,
  PRIMARY KEY (run, trial)
) WITHOUT ROWID;
CREATE TABLE events (
  event INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES runs (run),
  time TEXT NOT NULL,
  kind TEXT NOT NULL,
  payload TEXT NOT NULL
);
CREATE TRIGGER trials_never_change BEFORE UPDATE ON trials
  BEGIN SELECT RAISE(ABORT, 'a finished trial never changes'); END;
CREATE TRIGGER trials_never_go BEFORE DELETE ON trials
  BEGIN SELECT RAISE(ABORT, 'a finished trial never changes'); END;
CREATE TRIGGER runs_never_change BEFORE UPDATE ON runs
  BEGIN SELECT RAISE(ABORT, 'a run never changes'); END;
"""

_MIGRATIONS = {
    1: ("ALTER TABLE trials ADD COLUMN gate TEXT", "ALTER TABLE trials ADD COLUMN arrivals TEXT"),
    2: ("ALTER TABLE trials ADD COLUMN fingerprint TEXT", "ALTER TABLE trials ADD COLUMN copies INTEGER"),
    3: ("ALTER TABLE trials ADD COLUMN recorded REAL",),
}
"""Statements that bring a record of a version to the next one."""

_TRIAL_COLUMNS = (
    "trial, ask, status, genes, parents, metrics, rungs, seconds, error, gate, arrivals, fingerprint, copies"
)
_PLACES = ", ".join("?" for _ in _TRIAL_COLUMNS.split(","))


class TrialRecord(NamedTuple):
    """A finished trial as it is recorded.

    Attributes:
        trial: number within the run, from 0.
        ask: number of the ask that proposed it.
        status: "completed" or "failed".
        genes: plain decisions as JSON text.
        parents: trial numbers of its parents as JSON text.
        metrics: final values by metric name as JSON text; null where a value is not finite.
        rungs: metrics by rung as JSON text, None where the trial was not trained.
        seconds: time its evaluation took.
        error: traceback of a failed trial.
        gate: hurdles that were frozen for it when it was proposed, as JSON text; None without such.
        arrivals: in a search with several children in flight, how many reports had come before each of its own,
            as JSON text; None where order does not matter.
        fingerprint: equal for trials that compute the same; None where nobody says.
        copies: trial that computes the same and whose result this one took without training; None for its own.
    """

    trial: int
    ask: int
    status: str
    genes: str
    parents: str
    metrics: str
    rungs: str | None
    seconds: float
    error: str | None
    gate: str | None = None
    arrivals: str | None = None
    fingerprint: str | None = None
    copies: int | None = None

    @property
    def is_infeasible(self) -> bool:
        """Whether it was known before training that it is worth nothing; `error` says why."""
        return self.status == "failed" and self.rungs is None and self.copies is None


def insert_trials(db: sqlite3.Connection, run: int, trials: Sequence[TrialRecord]) -> None:
    """Appends finished trials to a record within a transaction of the caller, with the time at which that was.

    Args:
        db: the record.
        run: number of the run.
        trials: to append.
    """
    db.executemany(
        f"INSERT INTO trials (run, recorded, {_TRIAL_COLUMNS}) VALUES ({int(run)}, {time.time():.3f}, {_PLACES})",
        trials,
    )


class RunRecord(NamedTuple):
    """A run as it was created.

    Attributes:
        run: number within the file.
        name: its name.
        created: time in UTC, ISO 8601.
        experiment: plain description of the experiment.
        columns: plain description of the decisions, in the order of the genes.
    """

    run: int
    name: str
    created: str
    experiment: dict[str, Any]
    columns: list[dict[str, Any]]


class Store:
    """An open record.

    Args:
        path: the file.
        create: make the file if it is not there.
        read_only: write nothing, wait for nobody, and show the bytes of text that is not UTF-8 as escapes.

    Raises:
        StoreError: if the file is absent (and not to be made), not a record, damaged, of a newer version, or of an
            older one that is only to be read.
    """

    def __init__(self, path: str | Path = DEFAULT_STORE, *, create: bool = False, read_only: bool = False) -> None:
        self.path = Path(path)
        exists = self.path.exists() and self.path.stat().st_size > 0
        if not exists and not create:
            raise StoreError(f"There is no record {str(path)!r}: run a search first, or name another with --store.")
        if not self.path.parent.is_dir():
            raise StoreError(f"There is no folder {str(self.path.parent)!r}: make it, or choose another --store.")
        if exists:
            check_file(self.path)
        with self._translated():
            self._db = connect_to_read(self.path) if read_only else connect(self.path)
            if exists:
                self._check_identity(read_only)
            else:
                self._create()
            if not read_only:
                self._db.execute("PRAGMA synchronous = NORMAL")

    def close(self) -> None:
        """Closes the file; the record is complete at any time without it."""
        self._db.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def create_run(
        self,
        name: str | None,
        prefix: str,
        experiment: Mapping[str, Any],
        columns: Sequence[Mapping[str, Any]],
    ) -> RunRecord:
        """Adds a run.

        Args:
            name: its name; None for the prefix and the next free number.
            prefix: used for the name where none is given.
            experiment: plain description of the experiment.
            columns: plain description of the decisions.

        Raises:
            StoreError: if there is a run of that name.
        """
        with self._translated(), self._transaction():
            taken = {n for (n,) in self._db.execute("SELECT name FROM runs")}
            if name in taken:
                raise StoreError(
                    f"{str(self.path)!r} has a run {name!r} already: continue it with `autoglyph resume {name}`, "
                    "or choose another --run."
                )
            if name is None:
                name = next(n for i in itertools.count(1) if (n := f"{prefix}-{i}") not in taken)
            created = _now()
            cursor = self._db.execute(
                "INSERT INTO runs (name, created, experiment, columns) VALUES (?, ?, ?, ?)",
                (name, created, json.dumps(experiment), json.dumps(list(columns))),
            )
            return RunRecord(int(cursor.lastrowid or 0), name, created, dict(experiment), [dict(c) for c in columns])

    def runs(self) -> list[RunRecord]:
        """All runs, oldest first."""
        with self._translated():
            rows = self._db.execute("SELECT run, name, created, experiment, columns FROM runs ORDER BY run").fetchall()
        return [RunRecord(r, n, c, json.loads(e), json.loads(k)) for r, n, c, e, k in rows]

    def run(self, name: str) -> RunRecord:
        """The run of a name.

        Raises:
            StoreError: if there is none, naming those there are.
        """
        runs = {r.name: r for r in self.runs()}
        if name not in runs:
            names = ", ".join(list(runs)[-8:]) or "none yet"
            raise StoreError(f"There is no run {name!r} in {str(self.path)!r}; its runs: {names}.")
        return runs[name]

    def append_trials(self, run: int, trials: Sequence[TrialRecord]) -> None:
        """Appends finished trials in one transaction: all of them are recorded, or none."""
        with self._translated(), self._transaction():
            insert_trials(self._db, run, trials)

    def trials(self, run: int, *, since: int = 0) -> list[TrialRecord]:
        """Finished trials from a number on, in order."""
        with self._translated():
            cursor = self._db.execute(
                f"SELECT {_TRIAL_COLUMNS} FROM trials WHERE run = ? AND trial >= ? ORDER BY trial",
                (run, since),
            )
            return [TrialRecord(*row) for row in cursor]

    def columns(self, run: int, names: Sequence[str], *, since: int = 0, until: int | None = None) -> list[Any]:
        """Some columns of finished trials in the order of their numbers: values of one column, else tuples.

        Args:
            run: number of the run.
            names: fields of `TrialRecord`, or "recorded": when the record took the trial, in seconds since 1970
                in UTC; None in a record of an older version.
            since: first trial.
            until: one past the last trial, None for all.
        """
        known = [*TrialRecord._fields, "recorded"]
        assert all(name in known for name in names)
        with self._translated():
            cursor = self._db.execute(
                f"SELECT {', '.join(names)} FROM trials WHERE run = ? AND trial >= ? AND trial < ? ORDER BY trial",
                (run, since, 2**62 if until is None else until),
            )
            rows = cursor.fetchall()
        return [value for (value,) in rows] if len(names) == 1 else rows

    def trial_count(self, run: int) -> int:
        """Trials up to the first number that is still in flight."""
        with self._translated():
            count, last = self._db.execute("SELECT count(*), max(trial) FROM trials WHERE run = ?", (run,)).fetchone()
            if last is None or last + 1 == count:
                return int(count)
            numbers = self._db.execute("SELECT trial FROM trials WHERE run = ? ORDER BY trial", (run,))
            return next(i for i, (number,) in enumerate(numbers) if number != i)

    def trial_counts(self) -> dict[int, int]:
        """Finished trials by run."""
        with self._translated():
            return dict(self._db.execute("SELECT run, count(*) FROM trials GROUP BY run").fetchall())

    def append_event(self, run: int, kind: str, payload: Mapping[str, Any] | None = None) -> None:
        """Appends something that happened to a run: started, resumed, interrupted, finished."""
        with self._translated(), self._transaction():
            self._db.execute(
                "INSERT INTO events (run, time, kind, payload) VALUES (?, ?, ?, ?)",
                (run, _now(), kind, json.dumps(payload or {})),
            )

    def events(self, run: int) -> list[tuple[str, str, dict[str, Any]]]:
        """(time, kind, payload) of a run's events, oldest first."""
        with self._translated():
            rows = self._db.execute("SELECT time, kind, payload FROM events WHERE run = ? ORDER BY event", (run,))
            return [(time, kind, json.loads(payload)) for time, kind, payload in rows]

    def _create(self) -> None:
        with self._transaction():
            if self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
                for statement in _statements(_SCHEMA):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        self._db.execute("PRAGMA journal_mode = WAL")

    def _check_identity(self, read_only: bool) -> None:
        (application,) = self._db.execute("PRAGMA application_id").fetchone()
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if application != APPLICATION_ID:
            raise StoreError(f"{str(self.path)!r} is a database of another program: choose another file with --store.")
        if version > SCHEMA_VERSION:
            raise StoreError(f"{str(self.path)!r} was written by a newer Autoglyph: update this one to read it.")
        if version < SCHEMA_VERSION and read_only:
            raise StoreError(f"{str(self.path)!r} is of an older Autoglyph: `autoglyph runs` brings it up to date.")
        if version < SCHEMA_VERSION:
            self._migrate()

    def _migrate(self) -> None:
        with self._transaction():
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            for old in range(version, SCHEMA_VERSION):
                for statement in _MIGRATIONS[old]:
                    self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with interrupt_later():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError as error:
            raise StoreError(
                f"{str(self.path)!r} has this trial already: another process is writing the same run; "
                "wait for it or stop it."
            ) from error
        except sqlite3.Error as error:
            raise StoreError(explain(self.path, error)) from error


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def open_to_read(store: str | Path) -> Store:
    """A record for reading; one of an older version is first brought to this one, as far as it can be written."""
    try:
        return Store(store, read_only=True)
    except StoreError:
        Store(store).close()
        return Store(store, read_only=True)
