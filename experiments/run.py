"""A recorded run as arrays: front, hypervolume, frames. Reading needs neither the space nor the domain."""

from __future__ import annotations

import datetime
import functools
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.experiments.front import front_hypervolume, pareto_indices, reference_point
from autoglyph.experiments.front_members import FrontMembers
from autoglyph.experiments.objectives import FloatArray, Objective, fitness, objective_from_json
from autoglyph.experiments.store import DEFAULT_STORE, RunRecord, StoreError, TrialRecord, open_to_read
from autoglyph.experiments.trial_columns import ListedTrials, StoredTrials, TrialSource, list_array, metric_arrays

if TYPE_CHECKING:
    import pandas as pd


class Run:
    """What a record says of one run, as it was when it was read.

    A run that `open` gave reads a column of its trials when it is first asked for: trials never change, so it stays
    what it was however long the search goes on.

    Args:
        record: the run.
        trials: its finished trials, in order, or where to read them.
        events: (time, kind, payload) of what happened to it.
    """

    def __init__(
        self,
        record: RunRecord,
        trials: Sequence[TrialRecord] | TrialSource,
        events: Sequence[tuple[str, str, dict[str, Any]]] = (),
    ) -> None:
        self.record = record
        self.events = list(events)
        self._source = trials if isinstance(trials, TrialSource) else ListedTrials(trials)

    @classmethod
    def open(cls, name: str, store: str | Path = DEFAULT_STORE) -> Run:
        """A run of a file, which is read without holding up a search that writes it.

        Raises:
            StoreError: if the file or the run is not there.
        """
        with open_to_read(store) as opened:
            record = opened.run(name)
            trials = StoredTrials(store, record.run, opened.trial_count(record.run))
            return cls(record, trials, opened.events(record.run))

    @functools.cached_property
    def trials(self) -> list[TrialRecord]:
        """The finished trials whole, in order."""
        return self._source.records(0, len(self))

    @property
    def name(self) -> str:
        """Name of the run."""
        return self.record.name

    def __len__(self) -> int:
        return len(self._source)

    @functools.cached_property
    def objectives(self) -> list[Objective]:
        """What the search wanted."""
        return [objective_from_json(o) for o in self.record.experiment["objectives"]]

    @functools.cached_property
    def metrics(self) -> Mapping[str, FloatArray]:
        """(n,) values by metric name, NaN where a trial has none."""
        return metric_arrays(self._source.column("metrics"))

    @functools.cached_property
    def completed(self) -> NDArray[np.bool_]:
        """(n,) mask of the trials that did not fail."""
        return np.array([status == "completed" for status in self._source.column("status")], bool)

    @functools.cached_property
    def genes(self) -> FloatArray:
        """(n, L) decisions as numbers, the index of the candidate or the float; NaN for a custom decision."""
        return list_array(self._source.column("genes"), len(self.record.columns), np.nan)

    @functools.cached_property
    def active(self) -> NDArray[np.bool_]:
        """(n, L) mask of the decisions that were made: those below a choice not taken were not."""
        mask = np.ones(self.genes.shape, bool)
        for i, column in enumerate(self.record.columns):
            if column["parent"] >= 0:
                parent = column["parent"]
                mask[:, i] = mask[:, parent] & (self.genes[:, parent] == column["parent_value"])
        return mask

    @functools.cached_property
    def parents(self) -> NDArray[np.int64]:
        """(n, 2) trials that each was made from, -1 where there is none."""
        return list_array(self._source.column("parents"), 2, -1).astype(np.int64)

    @functools.cached_property
    def seconds(self) -> FloatArray:
        """(n,) time that the evaluation of each took, 0 where it was cheap."""
        return np.array(self._source.column("seconds"), np.float64)

    @functools.cached_property
    def searched_s(self) -> FloatArray | None:
        """(n,) seconds of searching until the record took each trial, pauses left out; None where it has no times."""
        recorded = np.array(self._source.column("recorded"), np.float64)
        if np.isnan(recorded).any():
            return None
        return recorded - _first_start(self.record, self.events) - _paused_before(recorded, self.events)

    @functools.cached_property
    def rungs(self) -> dict[int, list[dict[str, Any]]]:
        """Metrics at each rung by trial, of the trials that were trained."""
        texts = self._source.column("rungs")
        trained = [trial for trial, text in enumerate(texts) if text is not None]
        return dict(zip(trained, _loads_all(texts[trial] for trial in trained), strict=True))

    @functools.cached_property
    def errors(self) -> dict[int, str]:
        """Text of the failure by trial, of the trials that failed."""
        texts = self._source.column("error")
        return {trial: text for trial, text in enumerate(texts) if text is not None}

    @functools.cached_property
    def fitness(self) -> FloatArray:
        """(n, M) values to maximise, -inf in trials that failed."""
        n = len(self)
        needed = [m for o in self.objectives for m in o.metrics]
        if n == 0 or any(m not in self.metrics for m in needed):
            return np.full((n, len(self.objectives)), -np.inf)
        values = fitness(self.objectives, self.metrics)
        values[~self.completed] = -np.inf
        return values

    @property
    def num_copied(self) -> int:
        """Trials that took the result of one that computes the same."""
        return sum(copies is not None for copies in self._source.column("copies"))

    @property
    def num_infeasible(self) -> int:
        """Trials that were known before training to be worth nothing."""
        return sum(copies is None and rungs is None for copies, rungs in self._how_failed())

    @property
    def num_failed(self) -> int:
        """Trials whose own training failed."""
        return sum(copies is None and rungs is not None for copies, rungs in self._how_failed())

    def _how_failed(self) -> Iterator[tuple[int | None, str | None]]:
        failed = np.flatnonzero(~self.completed).tolist()
        return zip(self._source.picked("copies", failed), self._source.picked("rungs", failed), strict=True)

    @functools.cached_property
    def front(self) -> NDArray[np.int64]:
        """Trial numbers of the Pareto front, by the first objective from worst to best."""
        usable = np.flatnonzero(np.isfinite(self.fitness).all(axis=1))
        if len(usable) == 0:
            return usable
        front = usable[pareto_indices(self.fitness[usable])]
        return front[np.argsort(self.fitness[front, 0], kind="stable")]

    @functools.cached_property
    def reference(self) -> FloatArray:
        """(M,) reference point of the hypervolume, as fitness."""
        return reference_point(self.fitness)

    @property
    def hypervolume(self) -> float:
        """Volume between the front and the reference point, in the objectives' units."""
        return front_hypervolume(self.fitness[self.front], self.reference)

    def objective_values(self, trial: int) -> dict[str, float]:
        """Values of a trial's objectives, in their own direction and unit."""
        return {o.name: float(o.sign * v) for o, v in zip(self.objectives, self.fitness[trial], strict=True)}

    def decisions(self, trial: int) -> dict[str, Any]:
        """What was decided, by decision name; inactive decisions are left out."""
        return decisions(self.record.columns, json.loads(self.trial(trial).genes))

    def decisions_of(self, trials: Sequence[int]) -> list[dict[str, Any]]:
        """What was decided in each of some trials."""
        texts = self._source.picked("genes", [int(trial) for trial in trials])
        return [decisions(self.record.columns, genes) for genes in _loads_all(texts)]

    def frame(self) -> pd.DataFrame:
        """One row a trial: status, metrics, whether it is on the front, and every decision."""
        import pandas as pd

        table: dict[str, Any] = {
            "trial": np.arange(len(self)),
            "status": self._source.column("status"),
            **self.metrics,
        }
        on_front = np.zeros(len(self), bool)
        on_front[self.front] = True
        table["front"] = on_front
        rows = [decisions(self.record.columns, genes) for genes in _loads_all(self._source.column("genes"))]
        chosen = pd.DataFrame(rows, columns=[c["name"] for c in self.record.columns])
        return pd.concat([pd.DataFrame(table), chosen], axis=1)

    @property
    def members(self) -> FrontMembers:
        """The front as a table: `run.members.frame()`, or the last line of a notebook cell."""
        run: Any = self
        return FrontMembers(run)

    def __repr__(self) -> str:
        return f"<run {self.name!r}: {len(self):,} trials>"

    def _repr_html_(self) -> str:
        from autoglyph.experiments.views.notebook import run_html

        run: Any = self
        return run_html(run)

    def digest(self) -> str:
        """Hash of all that is the same when the same experiment is run again: everything but times."""
        content = hashlib.sha256()
        for t in self.trials:
            same = (t.trial, t.ask, t.status, t.genes, t.parents, t.metrics, t.rungs, t.gate, t.arrivals)
            content.update(repr(same if t.fingerprint is None else (*same, t.fingerprint, t.copies)).encode())
        return content.hexdigest()

    def trial(self, trial: int) -> TrialRecord:
        """One trial.

        Raises:
            StoreError: if there is no such trial.
        """
        if not 0 <= trial < len(self):
            have = f"0 to {len(self) - 1}" if len(self) else "none yet"
            raise StoreError(f"The run {self.name!r} has no trial {trial}; its trials: {have}.")
        return self.trials[trial] if "trials" in self.__dict__ else self._source.records(trial, trial + 1)[0]


def decisions(columns: Sequence[Mapping[str, Any]], genes: Sequence[Any]) -> dict[str, Any]:
    """Chosen values by decision name, from recorded columns and genes; inactive decisions are left out."""
    chosen: dict[str, Any] = {}
    for column, gene in zip(columns, genes, strict=True):
        parent = column["parent"]
        if parent < 0 or (columns[parent]["name"] in chosen and genes[parent] == column["parent_value"]):
            chosen[column["name"]] = column["candidates"][gene] if column["kind"] == "choice" else gene
    return chosen


def _loads_all(texts: Any) -> list[Any]:
    parsed: list[Any] = json.loads("[" + ",".join(texts) + "]")
    return parsed


def _first_start(record: RunRecord, events: Sequence[tuple[str, str, Any]]) -> float:
    times = [time for time, kind, _ in events if kind == "started"]
    return _timestamp(times[0] if times else record.created)


def _paused_before(recorded: FloatArray, events: Sequence[tuple[str, str, Any]]) -> FloatArray:
    """(n,) seconds in which nobody searched before each time: from the last trial or event to the next start."""
    paused = np.zeros(len(recorded))
    last = -np.inf
    for time, kind, _ in events:
        now = _timestamp(time)
        if kind == "resumed":
            before = recorded[recorded < now]
            paused[recorded >= now] += now - max(last, before.max(initial=-np.inf))
        last = now
    return paused


def _timestamp(time: str) -> float:
    return datetime.datetime.fromisoformat(time).timestamp()
