"""One child after the other, in this process: needs nothing, and is the default."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from autoglyph.experiments.domain import Domain
from autoglyph.experiments.executors.base import ExecutorOptions, Result, Task
from autoglyph.experiments.executors.child_work import ChildWork
from autoglyph.experiments.experiment import Experiment


class SerialExecutor:
    """Runs tasks in the order in which they were submitted; a child that proceeds goes to the end of the queue.

    Args:
        experiment: gives program and data.
        domain: gives the space.
    """

    def __init__(self, experiment: Experiment, domain: Domain) -> None:
        self._work = ChildWork(experiment, domain)
        self._queue: deque[Task | int] = deque()

    def submit(self, task: Task) -> None:
        """Queues a task."""
        self._queue.append(task)

    def results(self) -> Iterator[Result]:
        """Runs the queue."""
        while self._queue:
            next_one = self._queue.popleft()
            yield self._work.start(next_one) if isinstance(next_one, Task) else self._work.proceed(next_one)

    def proceed(self, trial: int) -> None:
        """Queues the next rung of a child."""
        self._queue.append(trial)

    def stop(self, trial: int) -> None:
        """Drops a child."""
        self._work.stop(trial)

    def close(self) -> None:
        """Drops what is queued and all children."""
        self._queue.clear()
        self._work.close()


def make(experiment: Experiment, domain: Domain, options: ExecutorOptions) -> SerialExecutor:
    """A serial executor.

    Raises:
        ValueError: if an option is given that needs workers.
    """
    if options != ExecutorOptions(checkpoints=options.checkpoints):
        raise ValueError(
            "The serial executor has no workers to set up: add --executor ray, or leave those options out."
        )
    return SerialExecutor(experiment, domain)
