"""One child after the other, in this process: needs nothing, and is the default."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from autoglyph.experiments.domain import Domain
from autoglyph.experiments.executors.base import ExecutorOptions, Result, Task
from autoglyph.experiments.executors.checkpoints import Checkpoints, Saved
from autoglyph.experiments.executors.child_work import ChildWork
from autoglyph.experiments.experiment import Experiment


class SerialExecutor:
    """Runs tasks in the order in which they were submitted; a child that proceeds goes to the end of the queue.

    Args:
        experiment: gives program and data.
        domain: gives the space.
        checkpoints: where children are kept between rungs.
    """

    def __init__(self, experiment: Experiment, domain: Domain, checkpoints: Checkpoints) -> None:
        self._work = ChildWork(experiment, domain)
        self._checkpoints = checkpoints
        self._tasks: dict[int, Task] = {}
        self._queue: deque[Task | int] = deque()

    def begin(self, run: str) -> None:
        """Says whose children are trained."""
        self._checkpoints.begin(run)

    def submit(self, task: Task) -> None:
        """Queues a task."""
        self._queue.append(task)

    def results(self) -> Iterator[Result]:
        """Runs the queue."""
        while self._queue:
            next_one = self._queue.popleft()
            if isinstance(next_one, Task):
                self._tasks[next_one.trial] = next_one
                self._work.begin(next_one, self._checkpoints.load(next_one))
                next_one = next_one.trial
            yield self._train(next_one)
            self._checkpoints.sweep()

    def proceed(self, trial: int) -> None:
        """Queues the next rung of a child."""
        self._queue.append(trial)

    def stop(self, trial: int) -> None:
        """Drops a child."""
        self._work.stop(trial)
        self._end(trial)

    def close(self) -> None:
        """Drops what is queued and all children."""
        self._queue.clear()
        self._work.close()
        self._checkpoints.close()

    def _train(self, trial: int) -> Result:
        step = self._work.advance(trial)
        while not step.is_last:
            result = step.result
            state = self._work.state(trial)
            self._checkpoints.save(self._tasks[trial], Saved(tuple(result.rungs), result.seconds, state))
            if result.waits:
                return result
            step = self._work.advance(trial)
        self._end(trial)
        return step.result

    def _end(self, trial: int) -> None:
        if self._tasks.pop(trial, None) is not None:
            self._checkpoints.end(trial)


def make(experiment: Experiment, domain: Domain, options: ExecutorOptions) -> SerialExecutor:
    """A serial executor.

    Raises:
        ValueError: if an option is given that needs workers.
    """
    if options != ExecutorOptions(checkpoints=options.checkpoints):
        raise ValueError(
            "The serial executor has no workers to set up: add --executor ray, or leave those options out."
        )
    return SerialExecutor(experiment, domain, Checkpoints(options.checkpoints))
