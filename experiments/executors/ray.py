"""Children on Ray: long-lived workers on this machine or on a cluster, which may be lost at any time.

Short children travel several to a call and two calls to a worker, so that a worker never waits for the driver;
long ones travel alone and come back after every rung, so that a lost worker costs at most one rung. What decides
is the mean time of the children so far. Nothing but time depends on it.
"""

from __future__ import annotations

import json
import math
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from autoglyph.experiments.domain import Domain
from autoglyph.experiments.executors.base import ExecutorOptions, Result, Task
from autoglyph.experiments.executors.checkpoints import Checkpoints, Saved
from autoglyph.experiments.executors.memory_limit import is_supported
from autoglyph.experiments.executors.ray_actor import Request, WorkerSettings
from autoglyph.experiments.executors.ray_instance import RayInstance, start_or_connect
from autoglyph.experiments.executors.ray_workers import Done, Lost, Worker, WorkerPool
from autoglyph.experiments.experiment import Experiment, describe

_CALL_SECONDS = 0.05
_MOST_CHILDREN_A_CALL = 64
_CALLS_A_WORKER = 2
_WEIGHT_OF_LAST_CALL = 0.3


@dataclass(eq=False)
class _Child:
    task: Task
    saved: Saved
    reported: int = 0
    worker: Worker | None = None
    attempts: int = 0
    alone: bool = False
    waits: bool = False
    notes: list[str] = field(default_factory=list)


class RayExecutor:
    """Runs tasks on a pool of workers.

    Args:
        pool: the workers.
        instance: Ray, to be stopped with the executor.
        options: limits and retries.
        checkpoints: where children are kept between rungs.
    """

    def __init__(
        self, pool: WorkerPool, instance: RayInstance, options: ExecutorOptions, checkpoints: Checkpoints
    ) -> None:
        self._pool, self._instance, self._options, self._checkpoints = pool, instance, options, checkpoints
        self._children: dict[int, _Child] = {}
        self._queue: deque[int] = deque()
        self._reports: deque[Result] = deque()
        self._waiting = 0
        self._mean_s = math.inf
        self._budget_s = _CALL_SECONDS
        if options.child_seconds is not None:
            self._budget_s = min(_CALL_SECONDS, options.child_seconds / 4)

    def begin(self, run: str) -> None:
        """Says whose children are trained."""
        self._checkpoints.begin(run)

    def submit(self, task: Task) -> None:
        """Queues a task; it goes on from its checkpoint where there is one."""
        self._children[task.trial] = _Child(task, self._checkpoints.load(task))
        self._queue.append(task.trial)

    def results(self) -> Iterator[Result]:
        """Results in the order in which they arrive.

        Raises:
            ValueError: if workers cannot start.
        """
        while self._reports or self._waiting < len(self._children):
            self._dispatch()
            if not self._reports:
                self._gather()
                continue
            yield self._reports.popleft()
            self._checkpoints.sweep()

    def proceed(self, trial: int) -> None:
        """Queues the next rung of a child, on the worker that holds it."""
        child = self._children[trial]
        child.waits = False
        self._waiting -= 1
        (self._queue if child.worker is None else child.worker.queue).append(trial)

    def stop(self, trial: int) -> None:
        """Drops a child that waits."""
        child = self._children.pop(trial)
        self._waiting -= 1
        if child.worker is not None:
            child.worker.drop.append(trial)
        self._checkpoints.end(trial)

    def close(self) -> None:
        """Ends the workers, and Ray if it was started here; checkpoints of unfinished children stay."""
        self._children.clear()
        self._queue.clear()
        self._reports.clear()
        self._waiting = 0
        self._checkpoints.close()
        self._pool.close()
        self._instance.stop()

    def wait_for_workers(self) -> None:
        """Returns when the first worker is ready.

        Raises:
            ValueError: if workers cannot start.
        """
        while all(worker.start is not None for worker in self._pool.workers):
            self._gather()

    @property
    def _are_short(self) -> bool:
        return 2 * self._mean_s <= self._budget_s

    def _dispatch(self) -> None:
        """Fills the workers, one call each in turn."""
        calls = _CALLS_A_WORKER if self._are_short else 1
        sent = True
        while sent:
            sent = False
            for worker in self._pool.workers:
                if worker.start is None and len(worker.calls) < calls:
                    sent |= self._send(worker)

    def _send(self, worker: Worker) -> bool:
        trials = self._choose(worker)
        if not trials:
            return False
        children = [self._children[trial] for trial in trials]
        limit_s = self._options.child_seconds
        if limit_s is not None and len(children) == 1:
            (child,) = children
            again = child.worker is not worker and child.saved.state is None
            limit_s *= 1 + len(child.saved.rungs) if again else 1
        requests = [
            Request(child.task.trial, None)
            if child.worker is worker
            else Request(child.task.trial, child.task, child.saved, child.reported)
            for child in children
        ]
        self._pool.send(worker, requests, limit_s, self._budget_s)
        return True

    def _choose(self, worker: Worker) -> list[int]:
        """Children for one call: those that the worker holds first."""
        size = 1
        if self._are_short:
            share = (len(worker.queue) + len(self._queue)) / (_CALLS_A_WORKER * len(self._pool.workers))
            size = int(min(self._budget_s / self._mean_s, math.ceil(share), _MOST_CHILDREN_A_CALL))
        chosen: list[int] = []
        while len(chosen) < max(1, size):
            queue = worker.queue or self._queue
            if not queue or (chosen and self._children[queue[0]].alone):
                break
            chosen.append(queue.popleft())
            if self._children[chosen[-1]].alone:
                break
        return chosen

    def _gather(self) -> None:
        for event in self._pool.wait():
            if isinstance(event, Done):
                self._take(event)
            else:
                self._lose(event)

    def _take(self, done: Done) -> None:
        worker, trials = done.worker, done.call.trials
        seconds = done.seconds / len(done.steps)
        weight = _WEIGHT_OF_LAST_CALL if math.isfinite(self._mean_s) else 1.0
        self._mean_s = weight * seconds + (1 - weight) * self._mean_s if weight < 1 else seconds
        untouched = trials[len(done.steps) :]
        for trial in reversed(untouched):
            (worker.queue if self._children[trial].worker is worker else self._queue).appendleft(trial)
        for trial, step in zip(trials, done.steps, strict=False):
            child, result = self._children[trial], step.result
            if step.is_last:
                self._finish(child, result)
                continue
            child.worker, child.reported = worker, len(result.rungs)
            if child.reported > len(child.saved.rungs):
                child.saved = Saved(tuple(result.rungs), result.seconds, step.state)
                self._checkpoints.save(child.task, child.saved)
            if result.waits:
                child.waits = True
                self._waiting += 1
                self._reports.append(result._replace(notes=tuple(child.notes)))
            else:
                worker.queue.appendleft(trial)

    def _finish(self, child: _Child, result: Result) -> None:
        del self._children[child.task.trial]
        self._checkpoints.end(child.task.trial)
        self._reports.append(result._replace(notes=tuple(child.notes)))

    def _lose(self, lost: Lost) -> None:
        """Takes the children of a lost worker back; the one that it worked on is tried again a few times."""
        worker = lost.worker
        running = worker.calls[0].trials if worker.calls else []
        later = [trial for call in list(worker.calls)[1:] for trial in call.trials]
        others = [t for t, c in self._children.items() if c.worker is worker and t not in running]
        again = [*running, *later, *worker.queue]
        for trial in {*again, *others}:
            self._children[trial].worker = None
        for trial in others:
            happened = f"a child on its worker {lost.why}" if lost.is_final else f"its {lost.why}"
            self._note(self._children[trial], f"While it waited, {happened}")
        self._queue.extendleft(reversed(again))
        if len(running) == 1:
            self._blame(self._children[running[0]], lost)
        for trial in running if len(running) > 1 else ():
            happened = f"one of them {lost.why}" if lost.is_final else f"their {lost.why}"
            self._children[trial].alone = True
            self._note(self._children[trial], f"Sent with {len(running) - 1} others, {happened}")
        self._pool.replace(worker)

    def _blame(self, child: _Child, lost: Lost) -> None:
        child.attempts += 1
        if not lost.is_final and child.attempts <= self._options.retries:
            self._note(child, f"Its {lost.why}, attempt {child.attempts} of {1 + self._options.retries}")
            return
        self._queue.remove(child.task.trial)
        error = f"It {lost.why}." if lost.is_final else f"Its {lost.why} in attempt {child.attempts}, the last."
        child.notes.append(error)
        self._finish(child, Result(child.task.trial, list(child.saved.rungs), child.saved.seconds, error))

    def _note(self, child: _Child, what: str) -> None:
        rungs = len(child.saved.rungs)
        if rungs == 0 or child.saved.state is None:
            child.notes.append(f"{what}; it begins again.")
        else:
            child.notes.append(f"{what}; it goes on after rung {rungs - 1}.")


def make(experiment: Experiment, domain: Domain, options: ExecutorOptions) -> RayExecutor:
    """An executor on Ray, connected, with at least one worker ready.

    Raises:
        ValueError: if there is no such cluster, it is too small, or workers cannot load the experiment.
    """
    if options.child_memory_gb is not None and not is_supported():
        raise ValueError("This system does not tell the memory of a process: leave --child-memory-gb out.")
    wanted = options.workers or 0
    instance = start_or_connect(options.ray_address, cpus=wanted * options.cpus, gpus=wanted * options.gpus)
    try:
        settings = WorkerSettings(
            json.loads(json.dumps(describe(experiment, domain))),
            os.getcwd(),
            max(1, int(options.cpus)),
            options.child_memory_gb,
        )
        pool = WorkerPool(settings, _num_workers(options), options.cpus, options.gpus)
        executor = RayExecutor(pool, instance, options, Checkpoints(options.checkpoints))
        try:
            executor.wait_for_workers()
        except BaseException:
            pool.close()
            raise
    except BaseException:
        instance.stop()
        raise
    return executor


def _num_workers(options: ExecutorOptions) -> int:
    """Workers asked for, or as many as the cluster has room for.

    Raises:
        ValueError: if it has no room for them.
    """
    import ray

    wanted = {name: each for name, each in (("CPU", options.cpus), ("GPU", options.gpus)) if each > 0}
    if not wanted:
        return options.workers or os.cpu_count() or 1
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    room = sum(int(min((node.get(name, 0.0) + 1e-9) // each for name, each in wanted.items())) for node in nodes)
    if room < max(1, options.workers or 1):
        raise ValueError(
            f"Ray has room for {room} workers of {options.cpus:g} cores and {options.gpus:g} accelerators: "
            "ask for fewer --workers, or for less with --cpus and --gpus."
        )
    return options.workers or room
