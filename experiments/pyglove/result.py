"""A recorded `pg.sample` as PyGlove's own values."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyglove as pg

from autoglyph.experiments.store import Store


def measurement_from(values: Mapping[str, Any]) -> Any:
    """The `pg.tuning.Measurement` of recorded values."""
    return pg.tuning.Measurement(**values)


def trial_from(state: Mapping[str, Any], dna: Any) -> Any:
    """The `pg.tuning.Trial` of a recorded state."""
    measurements = [measurement_from(m) for m in state["measurements"]]
    done = state["status"] == "COMPLETED" and state["error"] is None
    return pg.tuning.Trial(
        id=state["id"],
        dna=dna.clone(deep=True),
        status=state["status"],
        measurements=measurements,
        final_measurement=measurements[-1].clone() if done else None,
        infeasible=state["error"] is not None,
        metadata=state["metadata"],
        created_time=int(state["created"]),
    )


class RecordedResult(pg.tuning.Result):
    """What a record says of a run of `pg.sample`, as it was when it was read.

    Args:
        name: the run.
        store: file of the record.
    """

    def __init__(self, name: str, store: str | Path) -> None:
        super().__init__()
        with Store(store) as opened:
            record = opened.run(name)
            run = record.run
            trials = opened._db.execute(
                "SELECT id, status, genes, created, measurements, error FROM pyglove_trials WHERE run = ? ORDER BY id",
                (run,),
            ).fetchall()
            kept = opened._db.execute("SELECT trial, key, value FROM pyglove_metadata WHERE run = ?", (run,)).fetchall()
        metadata: dict[int, dict[str, Any]] = {}
        for trial, key, value in kept:
            metadata.setdefault(trial, {})[key] = json.loads(value)
        self._metadata, self._created = metadata.get(0, {}), record.created
        self._trials = []
        self._times = [created for _, _, _, created, _, _ in trials]
        for trial, status, genes, created, measurements, error in trials:
            state = {"id": trial, "status": status, "created": created, "error": error}
            state |= {"measurements": json.loads(measurements), "metadata": metadata.get(trial, {})}
            self._trials.append(trial_from(state, pg.DNA(json.loads(genes))))

    @property
    def metadata(self) -> dict[str, Any]:
        """Values kept with the run."""
        return self._metadata

    @property
    def is_active(self) -> bool:
        """Whether no worker ended the loop."""
        return "autoglyph:ended" not in self._metadata

    @property
    def last_updated(self) -> datetime.datetime:
        """When the newest trial was proposed, or the run made."""
        made = datetime.datetime.fromisoformat(self._created)
        return datetime.datetime.fromtimestamp(max(self._times), datetime.UTC) if self._times else made

    @property
    def trials(self) -> list[Any]:
        """All trials; their DNAs hold the row of decisions, unbound."""
        return self._trials

    @property
    def best_trial(self) -> Any:
        """The trial of the highest final reward, None if there is none."""
        done = [t for t in self._trials if t.final_measurement is not None and t.final_measurement.reward is not None]
        return max(done, key=lambda t: t.final_measurement.reward, default=None)

    def format(self, *_: Any, **__: Any) -> str:
        """The number of trials."""
        return f"RecordedResult(trials={len(self._trials)})"
