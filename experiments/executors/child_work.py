"""Training of children, wherever it happens: one rung after the other, each child kept warm between its rungs."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autoglyph.algorithms.hurdles.base import passes_gate
from autoglyph.experiments.domain import Domain
from autoglyph.experiments.executors.base import Result, Task
from autoglyph.experiments.experiment import Experiment
from autoglyph.experiments.objectives import fitness_function


@dataclass
class _Child:
    task: Task
    measurements: Iterator[Any]
    rungs: list[Mapping[str, float]] = field(default_factory=list)
    seconds: float = 0.0


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
        self._data = domain.load_data(experiment.data, experiment.seed, experiment.program)
        self._objectives = list(experiment.objectives)
        self._fitness = fitness_function(self._objectives)
        self._needed = [metric for objective in self._objectives for metric in objective.metrics]
        self._children: dict[int, _Child] = {}

    def start(self, task: Task) -> Result:
        """Begins a child and trains it to its first stop."""
        run = getattr(self._program, "run", self._program)
        measurements = iter(run(self._genome.decode(task.row), seed=task.seed, data=self._data))
        self._children[task.trial] = _Child(task, measurements)
        return self.proceed(task.trial)

    def proceed(self, trial: int) -> Result:
        """Trains a child on: one rung where it is stepwise, else for as long as it exceeds its hurdles."""
        child = self._children[trial]
        started = time.perf_counter()
        error, goes_on = None, True
        try:
            while goes_on:
                measurement = next(child.measurements, None)
                if measurement is None:
                    if not child.rungs:
                        raise ValueError("The child program ended without a measurement.")
                    break
                child.rungs.append(_values(measurement))
                if child.task.stepwise:
                    child.seconds += time.perf_counter() - started
                    return Result(trial, list(child.rungs), child.seconds, None, waits=True)
                goes_on = self._goes_on(child)
        except Exception:
            error = traceback.format_exc(limit=20)
        child.seconds += time.perf_counter() - started
        self.stop(trial)
        return Result(trial, child.rungs, child.seconds, error)

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

    def _goes_on(self, child: _Child) -> bool:
        gate = child.task.gate
        if gate is None:
            return True
        known = {**child.task.cheap, **child.rungs[-1]}
        values = [known.get(metric) for metric in self._needed]
        if not all(value is not None and math.isfinite(value) for value in values):
            return False
        columns: dict[str, Any] = {m: np.array([v], np.float64) for m, v in zip(self._needed, values, strict=True)}
        return passes_gate(gate, len(child.rungs) - 1, float(self._fitness(columns)[0, 0]))


def _values(measurement: Any) -> dict[str, float]:
    values = getattr(measurement, "values", measurement)
    return {str(k): float(v) for k, v in (values if isinstance(values, Mapping) else measurement).items()}
