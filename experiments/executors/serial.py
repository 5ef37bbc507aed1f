"""One child after the other, in this process: needs nothing, and is the default."""

from __future__ import annotations

import time
import traceback
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from autoglyph.experiments.domain import Domain
from autoglyph.experiments.executors.base import Result, Task
from autoglyph.experiments.experiment import Experiment


class SerialExecutor:
    """Runs tasks in the order in which they were submitted.

    Children are measured on images drawn from the training part; the data's own test images stay unseen.

    Args:
        experiment: gives program and data.
        domain: gives the space.
    """

    def __init__(self, experiment: Experiment, domain: Domain) -> None:
        from autoglyph.child_programs.datasets import DEFAULT_VALIDATION_SHARE, load_dataset

        self._genome = domain.space.genome
        self._program = experiment.program
        self._data = load_dataset(
            experiment.data,
            seed=experiment.seed,
            resolution=getattr(experiment.program, "resolution", None),
            validation_share=DEFAULT_VALIDATION_SHARE,
        )
        self._tasks: deque[Task] = deque()

    def submit(self, task: Task) -> None:
        """Queues a task."""
        self._tasks.append(task)

    def results(self) -> Iterator[Result]:
        """Runs the queue."""
        while self._tasks:
            yield self._run(self._tasks.popleft())

    def close(self) -> None:
        """Drops what is queued."""
        self._tasks.clear()

    def _run(self, task: Task) -> Result:
        started = time.perf_counter()
        rungs: list[Mapping[str, float]] = []
        error = None
        run = getattr(self._program, "run", self._program)
        try:
            for measurement in run(self._genome.decode(task.row), seed=task.seed, data=self._data):
                rungs.append(_values(measurement))
            if not rungs:
                raise ValueError("The child program ended without a measurement.")
        except Exception:
            error = traceback.format_exc(limit=20)
        return Result(task.trial, rungs, time.perf_counter() - started, error)


def make(experiment: Experiment, domain: Domain) -> SerialExecutor:
    """A serial executor."""
    return SerialExecutor(experiment, domain)


def _values(measurement: Any) -> dict[str, float]:
    values = getattr(measurement, "values", measurement)
    return {str(k): float(v) for k, v in (values if isinstance(values, Mapping) else measurement).items()}
