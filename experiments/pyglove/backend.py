"""A tuning back-end for `pg.sample` that records a loop as a run and shares it among processes.

Beside the run's finished trials the file holds a log of what happened: which DNA was proposed, what it was told, and
whether it was stopped early, in order. Every process follows that log with copies of the algorithm and of the early
stopping policy, so all copies agree, and so does one that starts after a kill. Where a copy would propose something
else, the log is right.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyglove as pg

from autoglyph.experiments.pyglove.heartbeat import Heartbeat
from autoglyph.experiments.pyglove.result import RecordedResult
from autoglyph.experiments.pyglove.shared_loop import SharedLoop
from autoglyph.experiments.store import DEFAULT_STORE

DEFAULT_LEASE_S = 60.0


@dataclass
class _Defaults:
    store: str | Path = DEFAULT_STORE
    name: str | None = None
    seed: int = 0
    lease_s: float = DEFAULT_LEASE_S


_DEFAULTS = _Defaults()


def record_loops(
    store: str | Path = DEFAULT_STORE,
    *,
    name: str | None = None,
    seed: int = 0,
    lease_s: float = DEFAULT_LEASE_S,
) -> None:
    """Records every `pg.sample` of this process that names no other back-end, without an edit to its loop.

    Args:
        store: file of the record.
        name: run of loops that give no name of their own; None for a new run each.
        seed: see `AutoglyphBackend`.
        lease_s: see `AutoglyphBackend`.

    Raises:
        ValueError: if the lease is no positive time.
    """
    _check_lease(lease_s)
    _DEFAULTS.store, _DEFAULTS.name, _DEFAULTS.seed, _DEFAULTS.lease_s = store, name, seed, lease_s
    pg.tuning.set_default_backend("autoglyph")


@pg.tuning.add_backend("autoglyph")
class AutoglyphBackend(pg.tuning.Backend):
    """One worker of a shared, recorded `pg.sample`.

    What is left out is as `record_loops` was given it.

    Args:
        name: the run; None for a new one.
        group: workers of one group work on the same trial; None for every thread on its own.
        dna_spec: what is searched.
        algorithm: of every worker alike; it is copied.
        metrics_to_optimize: what it is told.
        early_stopping_policy: asked by `feedback.should_stop_early`; it is copied.
        num_examples: trials of the run, those of earlier processes included.
        store: file of the record.
        seed: of the randomness that the algorithm draws without a seed of its own.
        lease_s: seconds after which the trial of a process that has ended is handed to another one; a living process
            keeps its trial, however long it computes.

    Raises:
        ValueError: if the algorithm does not take so many metrics, or the lease is no positive time.
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
        store: str | Path | None = None,
        seed: int | None = None,
        lease_s: float | None = None,
    ) -> None:
        lease_s = _DEFAULTS.lease_s if lease_s is None else lease_s
        _check_lease(lease_s)
        self._loop = SharedLoop(
            _DEFAULTS.store if store is None else store,
            _DEFAULTS.name if name is None else name,
            group,
            dna_spec,
            algorithm,
            metrics_to_optimize,
            early_stopping_policy,
            num_examples,
            _DEFAULTS.seed if seed is None else seed,
            lease_s,
        )
        # Feedback holds the loop and not this object: a loop that is left by `break` gives its trial back.
        weakref.finalize(self, Heartbeat(self._loop.log.renew, lease_s).stop)

    def next(self) -> Any:
        """The feedback of this group's trial: its open one, one whose worker went silent, or a new one.

        Raises:
            StopIteration: once all trials are done, or the loop was ended.
        """
        return self._loop.next()

    @classmethod
    def poll_result(cls, name: str, store: str | Path | None = None) -> RecordedResult:
        """What the record says of a run at present."""
        return RecordedResult(name, _DEFAULTS.store if store is None else store)


def _check_lease(lease_s: float) -> None:
    if lease_s <= 0:
        raise ValueError(f"Expected a lease of more than 0 seconds, received {lease_s}.")
