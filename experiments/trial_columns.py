"""Trials as columns: what a run is read from, a file of which only the columns asked for are read, or a list."""

from __future__ import annotations

import abc
import json
import operator
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.experiments.store import Store, StoreError, TrialRecord

FloatArray = NDArray[np.float64]
_CHUNK = 20_000


class TrialSource(abc.ABC):
    """The first trials of a run, which never change."""

    @abc.abstractmethod
    def __len__(self) -> int:
        """How many trials."""

    @abc.abstractmethod
    def column(self, name: str) -> list[Any]:
        """One field of `TrialRecord`, or "recorded", of every trial."""

    @abc.abstractmethod
    def picked(self, name: str, trials: Sequence[int]) -> list[Any]:
        """One field of some trials, by number."""

    @abc.abstractmethod
    def records(self, start: int, stop: int) -> list[TrialRecord]:
        """Trials whole."""


class ListedTrials(TrialSource):
    """Trials in memory.

    Args:
        trials: in the order of their numbers.
    """

    def __init__(self, trials: Sequence[TrialRecord]) -> None:
        self._trials = list(trials)

    def __len__(self) -> int:
        return len(self._trials)

    def column(self, name: str) -> list[Any]:
        """One field of every trial."""
        return [None] * len(self) if name == "recorded" else [getattr(t, name) for t in self._trials]

    def picked(self, name: str, trials: Sequence[int]) -> list[Any]:
        """One field of some trials."""
        return [getattr(self._trials[trial], name) for trial in trials]

    def records(self, start: int, stop: int) -> list[TrialRecord]:
        """Trials whole."""
        return self._trials[start:stop]


class StoredTrials(TrialSource):
    """Trials of a record, read column by column when they are asked for.

    Args:
        path: the record.
        run: number of the run.
        count: how many of its first trials.
    """

    def __init__(self, path: str | Path, run: int, count: int) -> None:
        self.path, self.run, self._count = Path(path), run, count

    def __len__(self) -> int:
        return self._count

    def column(self, name: str) -> list[Any]:
        """One field of every trial."""
        with Store(self.path, read_only=True) as store:
            return store.columns(self.run, [name], until=self._count)

    def picked(self, name: str, trials: Sequence[int]) -> list[Any]:
        """One field of some trials."""
        with Store(self.path, read_only=True) as store:
            return [value for t in trials for value in store.columns(self.run, [name], since=t, until=t + 1)]

    def records(self, start: int, stop: int) -> list[TrialRecord]:
        """Trials whole."""
        with Store(self.path, read_only=True) as store:
            rows = store.columns(self.run, TrialRecord._fields, since=start, until=min(stop, self._count))
        return [TrialRecord(*row) for row in rows]


def metric_arrays(texts: Sequence[str | None]) -> dict[str, FloatArray]:
    """(n,) values by metric name, NaN where a trial has none or something that is no number.

    Args:
        texts: the metrics of each trial as a JSON object.

    Raises:
        StoreError: if a text is not one.
    """
    found: dict[str, FloatArray] = {}
    for start, rows in _parsed(texts, dict):
        same = list(rows[0])
        try:
            table = np.array(list(map(operator.itemgetter(*same), rows)), np.float64).reshape(len(rows), -1)
            if any(len(row) != len(same) for row in rows):
                raise KeyError
        except (KeyError, OverflowError, TypeError, ValueError):
            same = list(dict.fromkeys(name for row in rows for name in row))
            table = np.array([[_number(row.get(name)) for name in same] for row in rows], np.float64)
            table = table.reshape(len(rows), len(same))
        for name, values in zip(same, table.T, strict=True):
            found.setdefault(name, np.full(len(texts), np.nan))[start : start + len(rows)] = values
    return found


def list_array(texts: Sequence[str | None], width: int, missing: float) -> FloatArray:
    """(n, width) numbers, `missing` where a list is shorter or holds something that is no number.

    Args:
        texts: a JSON list for each trial.
        width: columns.
        missing: what stands for no number.

    Raises:
        StoreError: if a text is not a list.
    """
    table = np.full((len(texts), width), missing)
    for start, rows in _parsed(texts, list):
        block = table[start : start + len(rows)]
        try:
            values = np.array(rows, np.float64)
            if values.shape != block.shape:
                raise ValueError
            block[:] = np.where(np.isnan(values), missing, values)
        except (OverflowError, TypeError, ValueError):
            for row, target in zip(rows, block, strict=True):
                numbers = np.array([_number(value) for value in row[:width]], np.float64)
                target[: len(numbers)] = np.where(np.isnan(numbers), missing, numbers)
    return table


def _parsed(texts: Sequence[str | None], kind: type) -> Iterator[tuple[int, list[Any]]]:
    for start in range(0, len(texts), _CHUNK):
        chunk = [text or ("{}" if kind is dict else "[]") for text in texts[start : start + _CHUNK]]
        try:
            rows = json.loads("[" + ",".join(chunk) + "]")
        except (ValueError, RecursionError) as error:
            raise StoreError("The record holds trials that are not JSON: restore a copy of it.") from error
        if len(rows) != len(chunk) or not all(isinstance(row, kind) for row in rows):
            raise StoreError("The record holds trials of another form: restore a copy of it.")
        yield start, rows


def _number(value: Any) -> float:
    try:
        return float(value) if isinstance(value, int | float) else float("nan")
    except OverflowError:
        return float("nan")
