"""Candidates trained again from seeds that no search has seen, with a learning rate chosen on other seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autoglyph.child_programs.base import ChildFailed
from autoglyph.child_programs.datasets import Dataset
from autoglyph.child_programs.expressions.training import train
from autoglyph.search_spaces.expressions.program import Program

Floats = NDArray[np.float64]
TUNING_SEEDS, FRESH_SEEDS = (50, 51, 52), (100, 101, 102, 103, 104)
RATES = tuple(10.0 ** (power / 2) for power in range(-10, 3))
"""13 learning rates from 0.00001 to 10."""


class Task(NamedTuple):
    """What is trained.

    Attributes:
        name: for tables.
        data: examples.
        hidden: units of each hidden layer.
        steps: updates.
        batch: examples of a step.
    """

    name: str
    data: Dataset
    hidden: int
    steps: int
    batch: int


class Retest(NamedTuple):
    """What came of it.

    Attributes:
        rate: learning rate.
        accuracies: percent, one for each fresh seed; NaN where a training failed.
        losses: likewise.
    """

    rate: float
    accuracies: Floats
    losses: Floats

    def described(self) -> dict[str, Any]:
        """As a plain object."""
        return {
            "learning_rate": self.rate,
            "accuracy": float(self.accuracies.mean()),
            "accuracies": self.accuracies.tolist(),
            "loss": float(self.losses.mean()),
        }


def tuned(candidate: Program, task: Task, rates: Sequence[float] = RATES) -> Retest:
    """Chooses the rate of the smallest mean validation loss on three seeds, then trains from five others."""
    losses = [_scores(candidate, task, rate, TUNING_SEEDS)[1].mean() if len(rates) > 1 else 0.0 for rate in rates]
    return at_rate(candidate, task, rates[int(np.nanargmin(losses))])


def at_rate(candidate: Program, task: Task, rate: float) -> Retest:
    """Trains from five fresh seeds."""
    return Retest(rate, *_scores(candidate, task, rate, FRESH_SEEDS))


def _scores(candidate: Program, task: Task, rate: float, seeds: Sequence[int]) -> tuple[Floats, Floats]:
    """Accuracy and loss from each seed, NaN where a training fails."""
    found = np.full((2, len(seeds)), np.nan)
    for i, seed in enumerate(seeds):
        try:
            trained = train(
                candidate,
                task.data,
                seed=seed,
                hidden=task.hidden,
                steps=task.steps,
                batch=task.batch,
                learning_rate=rate,
            )
        except ChildFailed:
            break
        found[:, i] = trained.accuracy, trained.loss
    return found[0], found[1]
