"""A recorded `pg.sample` as PyGlove's own values."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyglove as pg

from autoglyph.experiments.pyglove.tables import ENDED, read_loop

LINK = "link:"


def measurement_from(values: Mapping[str, Any]) -> Any:
    """The `pg.tuning.Measurement` of recorded values."""
    return pg.tuning.Measurement(**values)


def trial_from(state: Mapping[str, Any], dna: Any) -> Any:
    """The `pg.tuning.Trial` of a recorded state."""
    measurements = [measurement_from(m) for m in state["measurements"]]
    completed = state["status"] == "COMPLETED"
    final = measurements[-1].clone() if completed and state["error"] is None else None
    kept = state["metadata"]
    return pg.tuning.Trial(
        id=state["id"],
        dna=dna.clone(deep=True),
        status=state["status"],
        measurements=measurements,
        final_measurement=final,
        infeasible=state["error"] is not None,
        metadata={key: value for key, value in kept.items() if not key.startswith(LINK)},
        related_links={key.removeprefix(LINK): value for key, value in kept.items() if key.startswith(LINK)},
        created_time=int(state["created"]),
        completed_time=int(state["lease"]) if completed else None,
    )


class RecordedResult(pg.tuning.Result):
    """What a record says of a run of `pg.sample`, as it was when it was read.

    Args:
        name: the run.
        store: file of the record.

    Raises:
        StoreError: if there is no such record or run.
    """

    def __init__(self, name: str, store: str | Path) -> None:
        super().__init__()
        record, states, self._metadata = read_loop(store, name)
        ends = [s["lease"] if s["status"] == "COMPLETED" else s["created"] for s in states]
        made = datetime.datetime.fromisoformat(record.created)
        self._updated = datetime.datetime.fromtimestamp(max(ends), datetime.UTC) if ends else made
        self._trials = [trial_from(state, pg.DNA(json.loads(state["genes"]))) for state in states]

    @property
    def metadata(self) -> dict[str, Any]:
        """Values kept with the run."""
        return {key: value for key, value in self._metadata.items() if key != ENDED}

    @property
    def is_active(self) -> bool:
        """Whether no worker ended the loop."""
        return ENDED not in self._metadata

    @property
    def last_updated(self) -> datetime.datetime:
        """When the last trial was proposed or done, or the run made."""
        return self._updated

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
