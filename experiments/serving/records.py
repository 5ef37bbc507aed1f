"""The record as the page reads it: a read-only connection per question, and only what is new is read again.

No transaction outlives a question, so the writer's log never grows because somebody looks at it.
"""

from __future__ import annotations

import datetime
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autoglyph.experiments.objectives import Objective, fitness, objective_from_json
from autoglyph.experiments.run import Run
from autoglyph.experiments.serving.growth import grown
from autoglyph.experiments.serving.place import Place, address
from autoglyph.experiments.store import RunRecord, Store, StoreError
from autoglyph.experiments.trial_columns import metric_arrays

_CHUNK = 20_000
_KEPT_TRIALS = 500_000
_FRESH_S = 60.0
_BEST_OF = ("status", "metrics")

STATUS_TEXTS = {"running": "running", "finished": "finished", "interrupted": "interrupted", "silent": "no news"}


@dataclass(frozen=True)
class RunSummary:
    """A run in the list.

    Attributes:
        record: the run.
        trials: finished ones.
        budget: wanted ones.
        status: "running", "finished", "interrupted", or "silent" where a search neither ended nor wrote of late.
        speed: trials per second of the last minute, or over the search where it has ended; None if unknown.
        best: best value of every objective by name.
        news: seconds since 1970 of the last trial or event.
        trouble: why its objectives cannot be read; empty if they can.
    """

    record: RunRecord
    trials: int
    budget: int
    status: str
    speed: float | None
    best: dict[str, float]
    news: float
    trouble: str = ""


@dataclass
class _Best:
    """Best values over the trials that have been read so far."""

    read: int = 0
    values: dict[str, float] = field(default_factory=dict)
    trouble: str = ""


class Records:
    """A record that is read again and again.

    Args:
        path: the file.

    Raises:
        StoreError: if it is not there or not a record.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._best: dict[tuple[int, str], _Best] = {}
        self._runs: OrderedDict[tuple[int, str], Run] = OrderedDict()
        self._lock = threading.Lock()
        self.open().close()

    def open(self) -> Store:
        """A connection that cannot write; to be closed at once."""
        return Store(self.path, read_only=True)

    def find(self, where: str) -> RunRecord:
        """The run that a segment of a URL stands for.

        Raises:
            StoreError: if there is none.
        """
        with self.open() as store:
            runs = store.runs()
        for run in runs:
            if where in (address(run.name, run.run), f"~{run.run}"):
                return run
        raise StoreError(f"There is no run {where!r} in this record.")

    def run(self, where: str) -> Run:
        """A run as it is now; of one that was read before, only the new trials are read.

        Args:
            where: the segment of a URL that stands for it.

        Raises:
            StoreError: if there is none.
        """
        record = self.find(where)
        with self.open() as store:
            count, events = store.trial_count(record.run), store.events(record.run)
        key = (record.run, record.created)
        with self._lock:
            known = self._runs.get(key)
            if known is None or len(known) != count or len(known.events) != len(events):
                known = grown(known, record, self.path, count, events)
                self._runs[key] = known
            self._runs.move_to_end(key)
            while len(self._runs) > 1 and sum(len(run) for run in self._runs.values()) > _KEPT_TRIALS:
                self._runs.popitem(last=False)
            return known

    def stamp(self, place: Place) -> Any:
        """What changes when the part of the record changes that a place shows."""
        wanted = {place.path[1]} if place.path[:1] == ("run",) else set(place.all("run"))
        with self.open() as store:
            runs = [r for r in store.runs() if not wanted or wanted & {address(r.name, r.run), f"~{r.run}"}]
            return [
                [r.run, store.trial_count(r.run), len(store.events(r.run)), self._is_silent(store, r.run)] for r in runs
            ]

    def summaries(self) -> list[RunSummary]:
        """All runs, newest first."""
        with self.open() as store:
            return [self.summary(store, run) for run in reversed(store.runs())]

    def summary(self, store: Store, run: RunRecord, loaded: Run | None = None) -> RunSummary:
        """One run in the list.

        Args:
            store: an open connection.
            run: the run.
            loaded: the run with its trials, where it has been read anyway.
        """
        events = store.events(run.run)
        trials = store.trial_count(run.run) if loaded is None else len(loaded)
        best = self._best_of(store, run, trials) if loaded is None else _Best(trials, _best_values(loaded))
        budgets = [run.experiment.get("trials"), *(payload.get("budget") for _, _, payload in events)]
        last = events[-1][1] if events else "started"
        news = self._news(store, run.run, trials, events)
        return RunSummary(
            record=run,
            trials=trials,
            budget=max([b for b in budgets if isinstance(b, int)], default=trials),
            status=_status(last, news),
            speed=_speed(store, run.run, trials, events),
            best=dict(best.values),
            news=news,
            trouble=best.trouble,
        )

    def _is_silent(self, store: Store, run: int) -> bool:
        events = store.events(run)
        return time.time() - self._news(store, run, store.trial_count(run), events) > _FRESH_S

    def _news(self, store: Store, run: int, trials: int, events: Sequence[tuple[str, str, dict[str, Any]]]) -> float:
        times = [_seconds(events[-1][0])] if events else []
        recorded = store.columns(run, ["recorded"], since=trials - 1, until=trials) if trials else []
        return max([*times, *(r for r in recorded if isinstance(r, float))], default=0.0)

    def _best_of(self, store: Store, run: RunRecord, trials: int) -> _Best:
        with self._lock:
            best = self._best.setdefault((run.run, run.created), _Best())
            if best.trouble or best.read >= trials:
                return best
            try:
                objectives = [objective_from_json(o) for o in run.experiment["objectives"]]
                while best.read < trials:
                    until = min(trials, best.read + _CHUNK)
                    rows = store.columns(run.run, _BEST_OF, since=best.read, until=until)
                    _take_in(best, objectives, rows)
                    best.read = until
            except (KeyError, TypeError, ValueError) as error:
                best.trouble = f"Its objectives cannot be read ({type(error).__name__})."
            return best


def _take_in(best: _Best, objectives: Sequence[Objective], rows: Sequence[tuple[str, str]]) -> None:
    metrics = metric_arrays([text for status, text in rows if status == "completed"])
    for objective in objectives:
        if any(name not in metrics for name in objective.metrics):
            continue
        values = fitness([objective], metrics)[:, 0]
        values = values[np.isfinite(values)]
        if len(values):
            known = best.values.get(objective.name)
            top = float(values.max())
            if known is None or top > objective.sign * known:
                best.values[objective.name] = objective.sign * top


def _best_values(run: Run) -> dict[str, float]:
    top = run.fitness.max(axis=0, initial=-np.inf)
    return {o.name: o.sign * float(t) for o, t in zip(run.objectives, top, strict=True) if np.isfinite(t)}


def _status(last_event: str, news: float) -> str:
    if last_event in ("started", "resumed") or last_event not in ("finished", "interrupted"):
        return "running" if time.time() - news <= _FRESH_S else "silent"
    return last_event


def _speed(store: Store, run: int, trials: int, events: Sequence[tuple[str, str, dict[str, Any]]]) -> float | None:
    for _, kind, payload in reversed(events[-1:]):
        wall_s = payload.get("wall_s")
        if kind in ("finished", "interrupted") and isinstance(wall_s, (int, float)) and wall_s > 0:
            spent = sum(p["wall_s"] for _, k, p in events if k in ("finished", "interrupted") and "wall_s" in p)
            return trials / spent if spent else None
    recent = [r for r in store.columns(run, ["recorded"], since=max(0, trials - 2000), until=trials) if r]
    within = [r for r in recent if r >= recent[-1] - _FRESH_S]
    return (len(within) - 1) / (within[-1] - within[0]) if len(within) > 1 and within[-1] > within[0] else None


def _seconds(iso: str) -> float:
    try:
        return datetime.datetime.fromisoformat(iso).timestamp()
    except ValueError:
        return 0.0
