"""What an executor takes and gives back."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from autoglyph.algorithms.hurdles.base import Gate
from autoglyph.experiments.domain import Domain
from autoglyph.experiments.experiment import Experiment
from autoglyph.search_spaces import Rows, plugins

_PACKAGE = "autoglyph.experiments.executors"
_NO_EXECUTORS = ["base", "checkpoints", "child_work", "memory_limit", "ray_actor", "ray_instance", "ray_workers"]


class Task(NamedTuple):
    """One candidate to train.

    Attributes:
        trial: its number.
        row: (L,) canonical row.
        seed: of its training.
        gate: hurdles frozen for it; None to train it to the end.
        stepwise: whether it waits after every rung for `proceed` or `stop`.
        cheap: metrics known of it without training; objectives may need them.
    """

    trial: int
    row: Rows
    seed: int
    gate: Gate | None = None
    stepwise: bool = False
    cheap: Mapping[str, float | None] = {}


class Result(NamedTuple):
    """What came of a task so far.

    Attributes:
        trial: its number.
        rungs: metrics after each rung.
        seconds: time it took.
        error: traceback if it failed, else None.
        waits: whether it waits for `proceed` or `stop`.
        notes: what else happened, such as a worker that was lost, one sentence each.
    """

    trial: int
    rungs: list[Mapping[str, float]]
    seconds: float
    error: str | None
    waits: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExecutorOptions:
    """Where and how children are trained; none of it changes what they are worth.

    Attributes:
        workers: how many train at once; None for what the executor finds.
        ray_address: of a Ray cluster, such as "auto"; None for an instance of one's own.
        cpus: cores a child.
        gpus: accelerators a child.
        child_seconds: limit on the time between two rungs of a child; None for none.
        child_memory_gb: limit on the memory of a child, 1e9 bytes; None for none.
        retries: how often a child that took its worker with it is tried again.
        checkpoints: folder where children are kept between rungs; None to keep them in memory alone.
    """

    workers: int | None = None
    ray_address: str | None = None
    cpus: float = 1.0
    gpus: float = 0.0
    child_seconds: float | None = None
    child_memory_gb: float | None = None
    retries: int = 2
    checkpoints: Path | None = None


class Executor(Protocol):
    """Runs tasks and gives their results back as they come."""

    def begin(self, run: str) -> None:
        """Says whose children are trained, in a text that no other run has: its checkpoints are used, no others."""

    def submit(self, task: Task) -> None:
        """Takes a task; it may start at once or later."""

    def results(self) -> Iterator[Result]:
        """Results as they come, until nothing is under way; what is submitted meanwhile is under way too."""
        ...

    def proceed(self, trial: int) -> None:
        """Trains a child that waits on to its next rung."""

    def stop(self, trial: int) -> None:
        """Drops a child that waits."""

    def close(self) -> None:
        """Stops all work and frees what it held."""


def names() -> list[str]:
    """Names of the executors there are."""
    return plugins.module_names(_PACKAGE, leave_out=_NO_EXECUTORS)


def make_executor(name: str, experiment: Experiment, domain: Domain, options: ExecutorOptions) -> Executor:
    """The executor of a name, ready for tasks.

    Raises:
        ValueError: if there is none of that name, or it does not take the options.
    """
    if name not in names():
        raise plugins.unknown_name("executor", name, names())
    module: Any = importlib.import_module(f"{_PACKAGE}.{name}")
    executor: Executor = module.make(experiment, domain, options)
    return executor
