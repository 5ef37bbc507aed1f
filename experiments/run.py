"""A recorded run as arrays: front, hypervolume, frames. Reading needs neither the space nor the domain."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.experiments.front import front_hypervolume, pareto_indices, reference_point
from autoglyph.experiments.objectives import FloatArray, Objective, fitness, objective_from_json
from autoglyph.experiments.store import DEFAULT_STORE, RunRecord, Store, StoreError, TrialRecord

if TYPE_CHECKING:
    import pandas as pd


class Run:
    """What a record says of one run, as it was when it was read.

    Args:
        record: the run.
        trials: its finished trials, in order.
    """

    def __init__(self, record: RunRecord, trials: Sequence[TrialRecord]) -> None:
        self.record = record
        self.trials = list(trials)

    @classmethod
    def open(cls, name: str, store: str | Path = DEFAULT_STORE) -> Run:
        """Reads a run from a file.

        Raises:
            StoreError: if the file or the run is not there.
        """
        with Store(store) as opened:
            record = opened.run(name)
            return cls(record, opened.trials(record.run))

    @property
    def name(self) -> str:
        """Name of the run."""
        return self.record.name

    def __len__(self) -> int:
        return len(self.trials)

    @functools.cached_property
    def objectives(self) -> list[Objective]:
        """What the search wanted."""
        return [objective_from_json(o) for o in self.record.experiment["objectives"]]

    @functools.cached_property
    def metrics(self) -> Mapping[str, FloatArray]:
        """(n,) values by metric name, NaN where a trial has none."""
        rows = _loads_all(t.metrics for t in self.trials)
        names = list(dict.fromkeys(name for row in rows for name in row))
        return {name: np.array([_number(row.get(name)) for row in rows], np.float64) for name in names}

    @functools.cached_property
    def fitness(self) -> FloatArray:
        """(n, M) values to maximise, -inf in trials that failed."""
        n = len(self.trials)
        needed = [m for o in self.objectives for m in o.metrics]
        if n == 0 or any(m not in self.metrics for m in needed):
            return np.full((n, len(self.objectives)), -np.inf)
        values = fitness(self.objectives, self.metrics)
        values[[t.status != "completed" for t in self.trials]] = -np.inf
        return values

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
        return decisions(self.record.columns, json.loads(self._trial(trial).genes))

    def frame(self) -> pd.DataFrame:
        """One row a trial: status, metrics, whether it is on the front, and every decision."""
        import pandas as pd

        table: dict[str, Any] = {
            "trial": [t.trial for t in self.trials],
            "status": [t.status for t in self.trials],
            **self.metrics,
        }
        on_front = np.zeros(len(self), bool)
        on_front[self.front] = True
        table["front"] = on_front
        rows = [decisions(self.record.columns, genes) for genes in _loads_all(t.genes for t in self.trials)]
        chosen = pd.DataFrame(rows, columns=[c["name"] for c in self.record.columns])
        return pd.concat([pd.DataFrame(table), chosen], axis=1)

    def digest(self) -> str:
        """Hash of all that is the same when the same experiment is run again: everything but times."""
        content = hashlib.sha256()
        for t in self.trials:
            same = (t.trial, t.ask, t.status, t.genes, t.parents, t.metrics, t.rungs, t.gate, t.arrivals)
            content.update(repr(same).encode())
        return content.hexdigest()

    def _trial(self, trial: int) -> TrialRecord:
        if not 0 <= trial < len(self.trials):
            have = f"0 to {len(self) - 1}" if len(self) else "none yet"
            raise StoreError(f"The run {self.name!r} has no trial {trial}; its trials: {have}.")
        return self.trials[trial]

    def trial(self, trial: int) -> TrialRecord:
        """One trial.

        Raises:
            StoreError: if there is no such trial.
        """
        return self._trial(trial)


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


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)
