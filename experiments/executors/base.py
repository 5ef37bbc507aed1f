"""What an executor takes and gives back."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from autoglyph.experiments.domain import Domain
from autoglyph.experiments.experiment import Experiment
from autoglyph.search_spaces import Rows, plugins

_PACKAGE = "autoglyph.experiments.executors"


class Task(NamedTuple):
    """One candidate to train.

    Attributes:
        trial: its number.
        row: (L,) canonical row.
        seed: of its training.
    """

    trial: int
    row: Rows
    seed: int


class Result(NamedTuple):
    """How a task ended.

    Attributes:
        trial: its number.
        rungs: metrics after each rung.
        seconds: time it took.
        error: traceback if it failed, else None.
    """

    trial: int
    rungs: list[Mapping[str, float]]
    seconds: float
    error: str | None


class Executor(Protocol):
    """Runs tasks and gives their results back as they come."""

    def submit(self, task: Task) -> None:
        """Takes a task; it may start at once or later."""

    def results(self) -> Iterator[Result]:
        """Results of all submitted tasks, as they end."""
        ...

    def close(self) -> None:
        """Stops all work and frees what it held."""


def names() -> list[str]:
    """Names of the executors there are."""
    return plugins.module_names(_PACKAGE, leave_out=["base"])


def make_executor(name: str, experiment: Experiment, domain: Domain) -> Executor:
    """The executor of a name, ready for tasks.

    Raises:
        ValueError: if there is none of that name.
    """
    if name not in names():
        raise plugins.unknown_name("executor", name, names())
    module: Any = importlib.import_module(f"{_PACKAGE}.{name}")
    executor: Executor = module.make(experiment, domain)
    return executor
