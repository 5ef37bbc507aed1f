"""A run that has grown: what was read of its earlier trials, which never change, and the new ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autoglyph.experiments.objectives import FloatArray
from autoglyph.experiments.run import Run
from autoglyph.experiments.store import RunRecord, Store, TrialRecord
from autoglyph.experiments.trial_columns import StoredTrials, TrialSource

_ARRAYS = ("completed", "genes", "active", "parents", "seconds")


class LaterTrials(TrialSource):
    """Trials of a record from a number on.

    Args:
        path: the record.
        run: number of the run.
        since: the first trial.
        until: one past the last one.
    """

    def __init__(self, path: Path, run: int, since: int, until: int) -> None:
        self._path, self._run, self._since, self._until = path, run, since, until

    def __len__(self) -> int:
        return self._until - self._since

    def column(self, name: str) -> list[Any]:
        """One field of every trial."""
        with Store(self._path, read_only=True) as store:
            return store.columns(self._run, [name], since=self._since, until=self._until)

    def picked(self, name: str, trials: Sequence[int]) -> list[Any]:
        """One field of some trials, counted from the first of these."""
        return StoredTrials(self._path, self._run, self._until).picked(name, [self._since + t for t in trials])

    def records(self, start: int, stop: int) -> list[TrialRecord]:
        """Trials whole, counted from the first of these."""
        whole = StoredTrials(self._path, self._run, self._until)
        return whole.records(self._since + start, self._since + stop)


def grown(
    known: Run | None,
    record: RunRecord,
    path: Path,
    count: int,
    events: Sequence[tuple[str, str, dict[str, Any]]],
) -> Run:
    """A run as it is now.

    Args:
        known: the run as it was read before, None if it was not.
        record: the run in the record.
        path: the record.
        count: its finished trials.
        events: what happened to it.
    """
    run = Run(record, StoredTrials(path, record.run, count), events)
    if known is None or len(known) > count:
        return run
    tail = Run(record, LaterTrials(path, record.run, len(known), count), events)
    read = vars(known)  # cached properties that somebody has asked for
    for name in _ARRAYS:
        if name in read:
            setattr(run, name, np.concatenate([read[name], getattr(tail, name)]))
    if "metrics" in read:
        run.metrics = _joined(known.metrics, tail.metrics, len(known), len(tail))
    return run


def _joined(
    first: Mapping[str, FloatArray], later: Mapping[str, FloatArray], num_first: int, num_later: int
) -> dict[str, FloatArray]:
    return {
        name: np.concatenate([first.get(name, np.full(num_first, np.nan)), later.get(name, np.full(num_later, np.nan))])
        for name in dict.fromkeys([*first, *later])
    }
