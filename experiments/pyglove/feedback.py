"""What a worker of a recorded `pg.sample` says of its trial; everything is written at once."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyglove as pg

from autoglyph.experiments.pyglove.log import Log
from autoglyph.experiments.pyglove.result import LINK, measurement_from, trial_from


class RecordedFeedback(pg.tuning.Feedback):
    """The feedback of one trial.

    Args:
        log: of the run.
        metrics_to_optimize: what the algorithm is told.
        trial: its number, from 1.
        term: how many workers had the trial before; what an earlier one still says of it is refused.
        dna: its DNA.
        stops: says of a trial whether to stop it early.
    """

    def __init__(
        self,
        log: Log,
        metrics_to_optimize: Sequence[str],
        trial: int,
        term: int,
        dna: Any,
        stops: Callable[[int], bool],
    ) -> None:
        super().__init__(metrics_to_optimize)
        self._log, self._id, self._term, self._dna, self._stops = log, trial, term, dna, stops

    @property
    def id(self) -> int:
        """The trial's number, from 1."""
        return self._id

    @property
    def dna(self) -> Any:
        """The trial's DNA."""
        return self._dna

    @property
    def status(self) -> str:
        """PENDING or COMPLETED."""
        return str(self._log.state(self._id)["status"])

    @property
    def checkpoint_to_warm_start_from(self) -> str | None:
        """Checkpoint of the last measurement that has one, such as of a worker that was killed."""
        paths = [m["checkpoint_path"] for m in self._log.state(self._id)["measurements"]]
        return next((path for path in reversed(paths) if path), None)

    def get_trial(self) -> Any:
        """The trial so far, as all its workers reported it."""
        return trial_from(self._log.state(self._id), self._dna)

    def set_metadata(self, key: str, value: Any, per_trial: bool = True) -> None:
        """Keeps a value.

        Raises:
            ValueError: if it cannot be written as JSON.
        """
        try:
            json.dumps(value)
        except TypeError:
            raise ValueError(
                f"The value of {key!r} cannot be written as JSON: keep numbers, texts and lists."
            ) from None
        self._log.set_metadata(self._id if per_trial else 0, key, value)

    def get_metadata(self, key: str, per_trial: bool = True) -> Any:
        """A value that was kept, None if there is none."""
        return self._log.metadata(self._id if per_trial else 0).get(key)

    def add_link(self, name: str, url: str) -> None:
        """Keeps a link with the trial."""
        self.set_metadata(f"{LINK}{name}", url)

    def _add_measurement(
        self,
        reward: float | None,
        metrics: Mapping[str, float],
        step: int,
        checkpoint_path: str | None,
        elapse_secs: float,
    ) -> None:
        values = {"reward": reward, "metrics": dict(metrics), "step": step}
        measured = {**values, "checkpoint_path": checkpoint_path, "elapse_secs": elapse_secs}
        refusal = self._log.measure(self._id, self._term, measured)
        if refusal is not None:
            raise pg.tuning.RaceConditionError(f"Trial {self._id} {refusal}: it takes no more measurements from here.")

    def done(self, metadata: Mapping[str, Any] | None = None, related_links: Mapping[str, str] | None = None) -> None:
        """Ends the trial with its last measurement; a reward that is no finite number counts as infeasible.

        Raises:
            ValueError: if it has no measurement.
        """
        for key, value in (metadata or {}).items():
            self.set_metadata(key, value)
        for key, value in (related_links or {}).items():
            self.add_link(key, value)
        measurements = self._log.state(self._id)["measurements"]
        if not measurements:
            raise ValueError(f"Trial {self._id} has no measurement: call add_measurement before done.")
        last = measurement_from(measurements[-1])
        named = {"reward": last.reward, **(last.metrics or {})}
        rewards = [float(named[name]) for name in self._metrics_to_optimize]
        finite = all(map(math.isfinite, rewards))
        error = None if finite else f"The reward {rewards[0] if len(rewards) == 1 else rewards} is not finite."
        self._log.finish(self._id, self._term, rewards if finite else None, error)

    def skip(self, reason: str | None = None) -> None:
        """Ends the trial as infeasible; the algorithm is told nothing."""
        self._log.finish(self._id, self._term, None, reason or "skipped")

    def should_stop_early(self) -> bool:
        """What the early stopping policy says of the measurements so far."""
        return self._stops(self._id)

    def end_loop(self) -> None:
        """Ends the loop for all workers, each after its present trial."""
        self._log.end()
