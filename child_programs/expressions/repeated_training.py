"""The child program of searches over expressions: several trainings a candidate, from the same seeds for all.

One training of a small network on few examples is partly luck. Here every candidate meets the same starts and the
same order of examples, and its score is the mean.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np
import pyglove as pg

from autoglyph.child_programs.base import Measurement, Rung
from autoglyph.child_programs.datasets import Dataset
from autoglyph.child_programs.expressions.training import ExpressionTraining
from autoglyph.search_spaces.expressions.program import Program


class RepeatedTraining(pg.Object):
    """Trains a candidate from each of some seeds, as `ExpressionTraining` does, and measures the means.

    Attributes:
        seeds: of the trainings; the seed of the trial is not read, so that all candidates start alike.
        steps: of each training.
        backend: see `ExpressionTraining`, as all that follows.
        hidden: units of each hidden layer.
        batch: examples of a step.
        learning_rate: factor of the updates; None to choose one by short trainings, for each seed.
    """

    seeds: list[int] = [0, 1, 2]
    steps: int = 200
    backend: str = "numpy"
    hidden: int = 64
    batch: int = 64
    learning_rate: float | None = 0.05

    @property
    def single(self) -> ExpressionTraining:
        """The training from one seed."""
        return ExpressionTraining(
            backend=self.backend,
            hidden=self.hidden,
            steps=[self.steps],
            batch=self.batch,
            learning_rate=self.learning_rate,
        )

    @property
    def rungs(self) -> Sequence[Rung]:
        """All steps."""
        return self.single.rungs

    def prepare(self, cores: int) -> None:
        """Imports TensorFlow where the back-end needs it."""
        self.single.prepare(cores)

    def run(self, candidate: Program, *, seed: int, data: Dataset) -> Iterator[Measurement]:
        """Trains a candidate from every seed.

        Args:
            candidate: an activation function, update rule or back-propagation rule.
            seed: not read.
            data: what to train and measure on.

        Yields:
            One measurement, the means of what `ExpressionTraining` measures.

        Raises:
            ChildFailed: if one of the trainings fails.
        """
        started, single = time.perf_counter(), self.single
        found = [next(single.run(candidate, seed=each, data=data)).values for each in self.seeds]
        means = {name: float(np.mean([values[name] for values in found])) for name in found[0]}
        yield Measurement(0, means, time.perf_counter() - started)
