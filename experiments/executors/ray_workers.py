"""A pool of long-lived Ray actors: calls to them, what comes back, and new ones for those that are lost."""

from __future__ import annotations

import contextlib
import re
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from autoglyph.experiments.executors.child_work import Step
from autoglyph.experiments.executors.ray_actor import ChildActor, Request, WorkerSettings, last_words_key

_STARTS_IN_VAIN = 5
_LONGEST_WAIT_SECONDS = 1.0
_TRANSPORT_SECONDS = 0.25


@dataclass(eq=False)
class Call:
    """Children that were sent to a worker together.

    Attributes:
        ref: Ray's reference to what comes back.
        trials: the children.
        limit_s: time after which the worker counts as hanging, None for no limit.
        since: when the worker could begin with it, by the monotonic clock.
    """

    ref: Any
    trials: list[int]
    limit_s: float | None
    since: float


@dataclass(eq=False)
class Worker:
    """An actor and what it was asked to do.

    Attributes:
        actor: Ray's handle.
        start: Ray's reference to its start, None once it is ready.
        actor_id: as Ray names it, once it is ready.
        calls: under way, the one that it works on first.
        queue: children that it holds and that wait for their turn.
        drop: children that it holds and that are trained no further.
    """

    actor: Any
    start: Any
    actor_id: str = ""
    calls: deque[Call] = field(default_factory=deque)
    queue: deque[int] = field(default_factory=deque)
    drop: list[int] = field(default_factory=list)


class Done(NamedTuple):
    """A call that came back.

    Attributes:
        worker: where it was.
        call: what was asked.
        steps: of the children that were begun.
        seconds: time in the worker.
    """

    worker: Worker
    call: Call
    steps: list[Step]
    seconds: float


class Lost(NamedTuple):
    """A worker that is no more.

    Attributes:
        worker: the worker, with its calls.
        why: what is to be said of the worker, or of the child where that is to be blamed, without "it".
        is_final: whether a child that was alone with it is to be blamed without another attempt.
    """

    worker: Worker
    why: str
    is_final: bool = False


class WorkerPool:
    """As many workers as asked for, on whichever nodes have room.

    Args:
        settings: of the workers.
        count: how many.
        cpus: cores each.
        gpus: accelerators each.
    """

    def __init__(self, settings: WorkerSettings, count: int, cpus: float, gpus: float) -> None:
        import ray

        self._settings = settings
        actor: Any = ray.remote(ChildActor)
        self._class = actor.options(
            num_cpus=cpus, num_gpus=gpus, max_restarts=0, max_task_retries=0, scheduling_strategy="SPREAD"
        )
        self._starts_in_vain = 0
        self.workers = [self._start() for _ in range(count)]

    def send(self, worker: Worker, requests: Sequence[Request], limit_s: float | None, budget_s: float) -> None:
        """Sends children to a worker."""
        drop, worker.drop = worker.drop, []
        ref = worker.actor.work.remote(list(requests), drop, budget_s)
        worker.calls.append(Call(ref, [r.trial for r in requests], limit_s, time.monotonic()))

    def wait(self) -> list[Done | Lost]:
        """What happened since, or within the next second.

        Raises:
            ValueError: if workers cannot start.
        """
        import ray

        awaited = {}
        for worker in self.workers:
            ref = worker.start if worker.start is not None else worker.calls[0].ref if worker.calls else None
            if ref is not None:
                awaited[ref] = worker
        ready, _ = ray.wait(list(awaited), num_returns=1, timeout=self._patience())
        if ready:
            ready, _ = ray.wait(list(awaited), num_returns=len(awaited), timeout=0)
        happened = [event for ref in ready if (event := self._fetch(awaited[ref], ref)) is not None]
        touched = {id(event.worker) for event in happened}
        return happened + [self._overdue(w) for w in self.workers if id(w) not in touched and _is_overdue(w)]

    def replace(self, lost: Worker) -> None:
        """Starts a worker in the place of one that is lost."""
        self._kill(lost)
        self.workers[self.workers.index(lost)] = self._start()

    def close(self) -> None:
        """Ends all workers."""
        for worker in self.workers:
            self._kill(worker)
        self.workers = []

    def _start(self) -> Worker:
        actor = self._class.remote(self._settings)
        return Worker(actor, actor.ready.remote())

    def _kill(self, worker: Worker) -> None:
        import ray

        with contextlib.suppress(Exception):
            ray.kill(worker.actor, no_restart=True)

    def _patience(self) -> float:
        now = time.monotonic()
        ends = [c.since + c.limit_s for w in self.workers for c in list(w.calls)[:1] if c.limit_s is not None]
        return max(0.0, min([_LONGEST_WAIT_SECONDS, *(end - now for end in ends)]))

    def _fetch(self, worker: Worker, ref: Any) -> Done | Lost | None:
        import ray
        from ray.exceptions import RayError

        try:
            value: Any = ray.get(ref)
        except RayError as error:
            if worker.start is not None:
                self._check_start(error)
            return self._lost(worker, error)
        if worker.start is not None:
            worker.start, worker.actor_id = None, value
            self._starts_in_vain = 0
            return None
        call = worker.calls.popleft()
        if worker.calls:
            worker.calls[0].since = time.monotonic()
        steps, seconds = value
        return Done(worker, call, steps, seconds)

    def _check_start(self, error: Exception) -> None:
        self._starts_in_vain += 1
        if getattr(error, "actor_init_failed", False):
            raise ValueError(f"A worker cannot load the experiment: {_last_line(error)}") from error
        if self._starts_in_vain >= _STARTS_IN_VAIN:
            raise ValueError(
                f"{self._starts_in_vain} workers in a row were lost while they started ({_reason(error)}): "
                "ask for fewer --workers, or give them more memory."
            ) from error

    def _lost(self, worker: Worker, error: Exception) -> Lost:
        from ray.experimental.internal_kv import _internal_kv_del, _internal_kv_get

        key = last_words_key(worker.actor_id)
        with contextlib.suppress(Exception):
            if _internal_kv_get(key) is not None:
                _internal_kv_del(key)
                limit = self._settings.child_memory_gb
                return Lost(worker, f"took more memory than its limit of {limit:g} GB", is_final=True)
        return Lost(worker, f"worker was lost ({_reason(error)})")

    def _overdue(self, worker: Worker) -> Lost:
        limit_s = worker.calls[0].limit_s
        return Lost(worker, f"ran past its limit of {limit_s:g} s", is_final=True)


def _is_overdue(worker: Worker) -> bool:
    if worker.start is not None or not worker.calls:
        return False
    call = worker.calls[0]
    return call.limit_s is not None and time.monotonic() - call.since > call.limit_s + _TRANSPORT_SECONDS


def _reason(error: Exception) -> str:
    """What Ray says of a loss, without its advice and addresses."""
    text = " ".join(re.sub(r"\x1b\[\d+m", "", str(error)).split())
    for beginning in ("Worker exit detail: ", "The actor is dead because ", "because "):
        if beginning in text:
            text = text.partition(beginning)[2]
            break
    return re.split(r"(?<=[a-z])\. |\.$", text)[0][:200]


def _last_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return re.sub(r"\x1b\[\d+m", "", lines[-1]).strip() if lines else type(error).__name__
