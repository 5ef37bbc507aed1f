"""One process's view of a shared `pg.sample`: copies of algorithm and policy that follow the log of the run."""

from __future__ import annotations

import json
import math
import os
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autoglyph.algorithms.pyglove_generator import PrivateRandom
from autoglyph.experiments.pyglove.feedback import RecordedFeedback
from autoglyph.experiments.pyglove.log import Entry, Log
from autoglyph.experiments.pyglove.result import trial_from
from autoglyph.search_spaces import Genome

_POLL_S = 0.05


class SharedLoop:
    """What the workers of a recorded loop share, as one of them sees it.

    Args:
        store: file of the record.
        name: the run; None for a new one.
        group: who works on the same trial; None for every thread on its own.
        dna_spec: what is searched.
        algorithm: of every worker alike; it is copied.
        metrics_to_optimize: what it is told.
        policy: of early stopping, None for none; it is copied.
        num_examples: trials of the run, None without end.
        seed: of the randomness that algorithm and policy draw without a seed of their own.
        lease_s: seconds that a silent worker keeps its trial.

    Attributes:
        log: the shared state.

    Raises:
        ValueError: if the algorithm does not take so many metrics.
    """

    def __init__(
        self,
        store: str | Path,
        name: str | None,
        group: str | int | None,
        dna_spec: Any,
        algorithm: Any,
        metrics_to_optimize: Sequence[str],
        policy: Any,
        num_examples: int | None,
        seed: int,
        lease_s: float,
    ) -> None:
        if len(metrics_to_optimize) > 1 and not algorithm.multi_objective:
            raise ValueError("This algorithm takes one metric: choose one for several, such as pg.evolution.nsga2.")
        self._genome = Genome(dna_spec)
        self._metrics = list(metrics_to_optimize)
        own = f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"
        self._group = own if group is None else str(group)
        self.log = Log(store, name, self._genome, self._metrics, seed, lease_s)
        self._lock = threading.RLock()
        self._limit = math.inf if num_examples is None else num_examples
        self._algorithm = algorithm.clone(deep=True)
        self._policy: Any = None if policy is None else policy.clone(deep=True)
        self._random, self._policy_random = PrivateRandom(seed), PrivateRandom(seed)
        with self._random.use():
            self._algorithm.setup(dna_spec)
        if self._policy is not None:
            self._policy.setup(dna_spec)
        self._exhausted = False
        self._followed = 0
        self._open: dict[int, Any] = {}

    def next(self) -> RecordedFeedback:
        """The feedback of this group's trial: its open one, one whose worker went silent, or a new one.

        Raises:
            StopIteration: once all trials are done, or the loop was ended.
        """
        while True:
            with self._lock, self.log.transaction():
                if self.log.ended():
                    raise StopIteration
                self._follow()
                trial = self.log.take(self._group) or self._new()
                if trial is not None:
                    term, dna = self.log.term(trial), self._open[trial]
                    return RecordedFeedback(self.log, self._metrics, trial, term, dna, self._should_stop_early)
                if not self.log.pending():
                    raise StopIteration
            time.sleep(_POLL_S)

    def _new(self) -> int | None:
        if self._exhausted or self.log.count() >= self._limit:
            return None
        dna = self._propose()
        if dna is None:
            self._exhausted = True
            return None
        trial = self.log.propose(self._group, self._genes(dna))
        self._open[trial] = dna
        self._followed += 1
        return trial

    def _should_stop_early(self, trial: int) -> bool:
        """What the policy says of a trial; False without one. The answer is part of the log."""
        if self._policy is None:
            return False
        with self._lock, self.log.transaction():
            self._follow()
            state = self.log.state(trial)
            if not state["measurements"]:
                return False
            stops = self._judge(trial, None)
            self.log.judged(trial, stops)
            self._followed += 1
            return stops

    def _judge(self, trial: int, measured: int | None) -> bool:
        """The policy's answer on a trial as it is, or as it was after so many measurements."""
        state = self.log.state(trial, measured=measured)
        state |= {"status": "PENDING", "error": None}
        dna = self._genome.to_dna(self._genome.from_json(json.loads(state["genes"])))
        with self._policy_random.use():
            return bool(self._policy.should_stop_early(trial_from(state, dna)))

    def _follow(self) -> None:
        """Brings the copies to the end of the log."""
        for entry in self.log.entries(self._followed):
            self._followed += 1
            self._apply(entry)

    def _apply(self, entry: Entry) -> None:
        if entry.kind == "judged":
            if self._policy is not None:
                self._judge(entry.trial, json.loads(entry.payload)["measured"])
        elif entry.kind == "proposed":
            dna, genes = self._propose(), json.loads(entry.payload)
            if dna is None or self._genes(dna) != genes:
                recorded = self._genome.to_dna(self._genome.from_json(genes))
                for key, value in {} if dna is None else dna.metadata.items():
                    recorded.set_metadata(key, value)
                dna = recorded
            self._open[entry.trial] = dna
        else:
            dna, reward = self._open.pop(entry.trial), json.loads(entry.payload)
            if reward is not None:
                with self._random.use():
                    self._algorithm.feedback(dna, tuple(reward) if len(reward) > 1 else reward[0])

    def _propose(self) -> Any:
        """The next DNA of the copy of the algorithm, None if it has no more."""
        with self._random.use():
            try:
                return self._algorithm.propose()
            except StopIteration:
                return None

    def _genes(self, dna: Any) -> list[Any]:
        return self._genome.to_json(self._genome.from_dna(dna))
