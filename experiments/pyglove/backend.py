"""A tuning back-end for `pg.sample` that records a loop as a run and shares it among processes.

Beside the run's finished trials the file holds a log of what happened: which DNA was proposed and what it was told,
in order. Every process follows that log with a copy of the algorithm, so all copies agree, and so does one that starts
after a kill. Where a copy would propose something else, the log is right.
"""

from __future__ import annotations

import json
import math
import os
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyglove as pg

from autoglyph.algorithms.pyglove_generator import PrivateRandom
from autoglyph.experiments.pyglove.log import Entry, Log
from autoglyph.experiments.pyglove.result import RecordedResult, measurement_from, trial_from
from autoglyph.experiments.store import DEFAULT_STORE
from autoglyph.search_spaces import Genome

_POLL_S = 0.05


@pg.tuning.add_backend("autoglyph")
class AutoglyphBackend(pg.tuning.Backend):
    """One worker of a shared, recorded `pg.sample`.

    Args:
        name: the run; None for a new one.
        group: workers of one group work on the same trial; None for every thread on its own.
        dna_spec: what is searched.
        algorithm: of every worker alike; it is copied.
        metrics_to_optimize: what it is told.
        early_stopping_policy: asked by `feedback.should_stop_early`.
        num_examples: trials of the run, those of earlier processes included.
        store: file of the record.
        seed: of the randomness that the algorithm draws without a seed of its own.
        lease_s: seconds without a word after which a trial is handed to another worker.
    """

    def __init__(
        self,
        name: str | None,
        group: str | int | None,
        dna_spec: Any,
        algorithm: Any,
        metrics_to_optimize: Sequence[str],
        early_stopping_policy: Any = None,
        num_examples: int | None = None,
        store: str | Path = DEFAULT_STORE,
        seed: int = 0,
        lease_s: float = 600.0,
    ) -> None:
        if len(metrics_to_optimize) > 1 and not algorithm.multi_objective:
            raise ValueError("This algorithm takes one metric: choose one for several, such as pg.evolution.nsga2.")
        if lease_s <= 0:
            raise ValueError(f"Expected a lease of more than 0 seconds, received {lease_s}.")
        self.genome = Genome(dna_spec)
        self.metrics_to_optimize = list(metrics_to_optimize)
        self.log = Log(store, name, self.genome, self.metrics_to_optimize, seed, lease_s)
        self.lock = threading.RLock()
        self.policy = early_stopping_policy
        if self.policy is not None and self.policy.dna_spec is None:
            self.policy.setup(dna_spec)
        self._limit = math.inf if num_examples is None else num_examples
        own = f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"
        self._group = own if group is None else str(group)
        self._algorithm = algorithm.clone(deep=True)
        self._random = PrivateRandom(seed)
        with self._random.use():
            self._algorithm.setup(dna_spec)
        self._followed = 0
        self._open: dict[int, Any] = {}

    def next(self) -> Any:
        """The feedback of this group's trial: its open one, one whose worker went silent, or a new one.

        Raises:
            StopIteration: once all trials are done, or the loop was ended.
        """
        while True:
            with self.lock, self.log.transaction():
                if self.log.ended():
                    raise StopIteration
                self._follow()
                trial = self.log.take(self._group)
                if trial is None and self.log.count() < self._limit:
                    with self._random.use():
                        dna = self._algorithm.propose()
                    trial = self.log.propose(self._group, self.genome.to_json(self.genome.from_dna(dna)))
                    self._open[trial] = dna
                    self._followed += 1
                if trial is not None:
                    return _Feedback(self, trial, self._open[trial])
                if not self.log.pending():
                    raise StopIteration
            time.sleep(_POLL_S)

    def _follow(self) -> None:
        """Brings the copy of the algorithm to the end of the log."""
        for entry in self.log.entries(self._followed):
            self._followed += 1
            with self._random.use():
                self._apply(entry)

    def _apply(self, entry: Entry) -> None:
        if entry.kind == "proposed":
            dna = self._algorithm.propose()
            genes = json.loads(entry.payload)
            if self.genome.to_json(self.genome.from_dna(dna)) != genes:
                recorded = self.genome.to_dna(self.genome.from_json(genes))
                for key, value in dna.metadata.items():
                    recorded.set_metadata(key, value)
                dna = recorded
            self._open[entry.trial] = dna
            return
        dna, reward = self._open.pop(entry.trial), json.loads(entry.payload)
        if reward is not None:
            self._algorithm.feedback(dna, tuple(reward) if len(reward) > 1 else reward[0])

    @classmethod
    def poll_result(cls, name: str, store: str | Path = DEFAULT_STORE) -> RecordedResult:
        """What the record says of a run at present."""
        return RecordedResult(name, store)


class _Feedback(pg.tuning.Feedback):
    """What a worker says of its trial; everything is written at once."""

    def __init__(self, backend: AutoglyphBackend, trial: int, dna: Any) -> None:
        super().__init__(backend.metrics_to_optimize)
        self._backend, self._log, self._id, self._dna = backend, backend.log, trial, dna

    @property
    def id(self) -> int:
        return self._id

    @property
    def dna(self) -> Any:
        return self._dna

    @property
    def status(self) -> str:
        """PENDING or COMPLETED."""
        return str(self._log.state(self._id)["status"])

    @property
    def checkpoint_to_warm_start_from(self) -> str | None:
        """Checkpoint of the last measurement, if another worker had begun the trial."""
        paths = [m["checkpoint_path"] for m in self._log.state(self._id)["measurements"]]
        return next((path for path in reversed(paths) if path), None)

    def get_trial(self) -> Any:
        """The trial so far."""
        return trial_from(self._log.state(self._id), self._dna)

    def set_metadata(self, key: str, value: Any, per_trial: bool = True) -> None:
        """Keeps a value that can be written as JSON."""
        self._log.set_metadata(self._id if per_trial else 0, key, value)

    def get_metadata(self, key: str, per_trial: bool = True) -> Any:
        """A value that was kept, None if there is none."""
        return self._log.metadata(self._id if per_trial else 0).get(key)

    def add_link(self, name: str, url: str) -> None:
        """Keeps a link with the trial."""
        self.set_metadata(f"link:{name}", url)

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
        if not self._log.measure(self._id, measured):
            raise pg.tuning.RaceConditionError(f"Trial {self._id} is done: it takes no more measurements.")

    def done(self, metadata: Mapping[str, Any] | None = None, related_links: Mapping[str, str] | None = None) -> None:
        for key, value in (metadata or {}).items():
            self.set_metadata(key, value)
        for key, value in (related_links or {}).items():
            self.add_link(key, value)
        measurements = self._log.state(self._id)["measurements"]
        if not measurements:
            raise ValueError(f"Trial {self._id} has no measurement: call add_measurement before done.")
        trial = measurement_from(measurements[-1])
        named = {"reward": trial.reward, **(trial.metrics or {})}
        self._log.finish(self._id, [named[name] for name in self._backend.metrics_to_optimize], None)

    def skip(self, reason: str | None = None) -> None:
        self._log.finish(self._id, None, reason or "skipped")

    def should_stop_early(self) -> bool:
        policy = self._backend.policy
        if policy is None or not self._log.state(self._id)["measurements"]:
            return False
        return bool(policy.should_stop_early(self.get_trial()))

    def end_loop(self) -> None:
        self._log.end()
