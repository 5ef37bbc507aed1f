"""The process in which Ray trains children."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from autoglyph.experiments.executors.base import Task
from autoglyph.experiments.executors.checkpoints import Saved
from autoglyph.experiments.executors.child_work import ChildWork, Step
from autoglyph.experiments.executors.memory_limit import MemoryLimit


class Request(NamedTuple):
    """A child to train on.

    Attributes:
        trial: its number.
        task: what to train where the child is new to the worker, None where the worker holds it already.
        saved: what is known of a child that is new to the worker.
        reported: rungs of it that need not be reported again.
    """

    trial: int
    task: Task | None
    saved: Saved = Saved()
    reported: int = 0


class WorkerSettings(NamedTuple):
    """What a worker needs to know.

    Attributes:
        experiment: plain description of the experiment.
        folder: working directory of the driver, used where the worker's machine has it.
        cores: threads for numerical libraries.
        child_memory_gb: limit on what a rung may add to the memory of the worker, 1e9 bytes; None for none.
    """

    experiment: Mapping[str, Any]
    folder: str
    cores: int
    child_memory_gb: float | None


class ChildActor:
    """Trains the children that it is given and keeps those that wait.

    Args:
        settings: of the worker.

    Raises:
        ValueError: if the experiment cannot be made on this machine.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
            os.environ[name] = str(settings.cores)
        os.environ["TF_NUM_INTEROP_THREADS"] = "1"
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # workers may share an accelerator
        if Path(settings.folder).is_dir():
            os.chdir(settings.folder)

        from autoglyph.experiments.experiment import from_description

        experiment, domain = from_description(settings.experiment)
        self._work = ChildWork(experiment, domain)
        self._work.prepare(settings.cores)
        limit_gb = settings.child_memory_gb
        self._limit = None if limit_gb is None else MemoryLimit(limit_gb, _say_last_words)

    def ready(self) -> str:
        """The actor as Ray names it, once it can take children."""
        return _actor_id()

    def work(self, requests: Sequence[Request], drop: Sequence[int], budget_s: float) -> tuple[list[Step], float]:
        """Trains children one after the other until the time is spent; the rest is left untouched.

        At least one rung is trained. A child whose hurdles let it go on is trained on within the time.

        Args:
            requests: the children.
            drop: children that wait here and are trained no further.
            budget_s: seconds after which nothing new is begun.

        Returns:
            A step of each child that was begun, in the order of the requests, and the seconds it took.
        """
        started = time.perf_counter()
        for trial in drop:
            self._work.stop(trial)
        steps: list[Step] = []
        for request in requests:
            if steps and time.perf_counter() - started > budget_s:
                break
            if request.task is not None:
                self._work.begin(request.task, request.saved, request.reported)
            step = self._advance(request.trial)
            while step.goes_on and time.perf_counter() - started <= budget_s:
                step = self._advance(request.trial)
            steps.append(step if step.is_last else step._replace(state=self._work.state(request.trial)))
        return steps, time.perf_counter() - started

    def _advance(self, trial: int) -> Step:
        with self._limit.watching() if self._limit is not None else contextlib.nullcontext():
            return self._work.advance(trial)


def last_words_key(actor_id: str) -> bytes:
    """Where a worker that ends itself leaves word of it."""
    return f"autoglyph memory limit {actor_id}".encode()


def _say_last_words() -> None:
    from ray.experimental.internal_kv import _internal_kv_put

    _internal_kv_put(last_words_key(_actor_id()), b"memory")


def _actor_id() -> str:
    import ray

    return str(ray.get_runtime_context().get_actor_id())
