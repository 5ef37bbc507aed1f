"""Training of children, wherever it happens: one rung after the other, each child kept warm between its rungs."""

from __future__ import annotations

import inspect
import math
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from autoglyph.algorithms.hurdles.base import passes_gate
from autoglyph.experiments.domain import Domain
from autoglyph.experiments.executors.base import Result, Task
from autoglyph.experiments.executors.checkpoints import Saved
from autoglyph.experiments.experiment import Experiment
from autoglyph.experiments.objectives import fitness_function


class Step(NamedTuple):
    """A child after one rung more, or at its end.

    Attributes:
        result: what came of it so far.
        goes_on: whether its hurdles let it be trained on without asking.
        state: what its program needs to go on from here, None where it cannot or need not.
    """

    result: Result
    goes_on: bool = False
    state: bytes | None = None

    @property
    def is_last(self) -> bool:
        """Whether the child is over."""
        return not self.goes_on and not self.result.waits


@dataclass
class _Child:
    task: Task
    rungs: list[Mapping[str, float]]
    reported: int
    seconds: float
    checkpoint: bytes | None
    measurements: Iterator[Any] | None = None
    state: Callable[[], bytes] | None = None


class ChildWork:
    """Children of one experiment in this process.

    They are measured on examples drawn from the training part; the data's own test examples stay unseen.

    Args:
        experiment: gives program and data.
        domain: gives the space.
    """

    def __init__(self, experiment: Experiment, domain: Domain) -> None:
        self._genome = domain.space.genome
        self._program = experiment.program
        self._run = getattr(experiment.program, "run", experiment.program)
        self._takes_checkpoints = "checkpoint" in inspect.signature(self._run).parameters
        self._num_rungs = domain.num_rungs(experiment.program)
        self._data = domain.load_data(experiment.data, experiment.seed, experiment.program)
        self._objectives = list(experiment.objectives)
        self._fitness = fitness_function(self._objectives)
        self._needed = [metric for objective in self._objectives for metric in objective.metrics]
        self._children: dict[int, _Child] = {}

    def prepare(self, cores: int) -> None:
        """Lets the program import what it needs, before its first child."""
        prepare = getattr(self._program, "prepare", None)
        if prepare is not None:
            prepare(cores)

    def begin(self, task: Task, saved: Saved, reported: int = 0) -> None:
        """Takes a child.

        Args:
            task: what to train.
            saved: what is known of it already: rungs that were measured are reported again without training.
            reported: rungs that need not be reported again.
        """
        self._children[task.trial] = _Child(task, list(saved.rungs), reported, saved.seconds, saved.state)

    def advance(self, trial: int) -> Step:
        """Trains a child by one rung."""
        child = self._children[trial]
        started = time.perf_counter()
        error = None
        goes_on = waits = False
        try:
            if self._measure(child):
                waits = child.task.stepwise
                goes_on = not waits and self._passes(child)
        except Exception:
            error = traceback.format_exc(limit=20)
        child.seconds += time.perf_counter() - started
        result = Result(trial, child.rungs[: child.reported], child.seconds, error, waits)
        if not (goes_on or waits):
            self.stop(trial)
        return Step(result, goes_on)

    def state(self, trial: int) -> bytes | None:
        """What the program needs to go on with a child after its last rung, None where it cannot or need not."""
        child = self._children[trial]
        if child.state is None or len(child.rungs) == self._num_rungs:
            return None
        return child.state()

    def stop(self, trial: int) -> None:
        """Drops a child; one that is not there any more changes nothing."""
        child = self._children.pop(trial, None)
        close = getattr(child.measurements, "close", None) if child is not None else None
        if close is not None:
            close()

    def close(self) -> None:
        """Drops all children."""
        for trial in list(self._children):
            self.stop(trial)

    def _measure(self, child: _Child) -> bool:
        """One rung more; False if there is none."""
        if child.reported < len(child.rungs):
            child.reported += 1
            return True
        if child.measurements is None:
            child.measurements = self._take_up(child)
        measurement = next(child.measurements, None)
        if measurement is None:
            if not child.rungs:
                raise ValueError("The child program ended without a measurement.")
            return False
        child.rungs.append(_values(measurement))
        child.reported += 1
        child.state = getattr(measurement, "state", None) if self._takes_checkpoints else None
        return True

    def _take_up(self, child: _Child) -> Iterator[Any]:
        """The measurements that are still to come; without a checkpoint, those before are made again and dropped."""
        candidate, seed = self._genome.decode(child.task.row), child.task.seed
        if self._takes_checkpoints and child.checkpoint is not None:
            state, child.checkpoint = child.checkpoint, None
            measurements: Iterator[Any] = iter(self._run(candidate, seed=seed, data=self._data, checkpoint=state))
            return measurements
        measurements = iter(self._run(candidate, seed=seed, data=self._data))
        for _ in child.rungs:
            next(measurements, None)
        return measurements

    def _passes(self, child: _Child) -> bool:
        gate = child.task.gate
        if gate is None:
            return True
        known = {**child.task.cheap, **child.rungs[child.reported - 1]}
        values = [known.get(metric) for metric in self._needed]
        if not all(value is not None and math.isfinite(value) for value in values):
            return False
        columns: dict[str, Any] = {m: np.array([v], np.float64) for m, v in zip(self._needed, values, strict=True)}
        return passes_gate(gate, child.reported - 1, float(self._fitness(columns)[0, 0]))


def _values(measurement: Any) -> dict[str, float]:
    values = getattr(measurement, "values", measurement)
    return {str(k): float(v) for k, v in (values if isinstance(values, Mapping) else measurement).items()}
