"""The child program of expressions: trains a small network with a candidate in it, in one of three back-ends.

"numpy" is the fast one and imports no TensorFlow. "tensorflow" runs every candidate as data through one compiled
program. "keras" is an ordinary Keras fit of a fresh model, the reference, with which finalists are scored again.
Weights, examples, their order and random numbers are the same in all three; rounding is not, and some candidates
amplify it, so candidates are compared within one back-end, which the settings in the record tell.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, Protocol

import numpy as np
import pyglove as pg
from numpy.typing import NDArray

from autoglyph.child_programs.base import ChildFailed, Measurement, Rung
from autoglyph.child_programs.datasets import Dataset
from autoglyph.child_programs.expressions.setup import Floats, Parts, Setup, make_setup, parts_of
from autoglyph.search_spaces import plugins
from autoglyph.search_spaces.expressions.fingerprint import fingerprint
from autoglyph.search_spaces.expressions.program import Program
from autoglyph.search_spaces.expressions.text import to_text

Backend = Literal["numpy", "tensorflow", "keras"]
BACKENDS: tuple[Backend, ...] = ("numpy", "tensorflow", "keras")
LEARNING_RATES = tuple(10.0**power for power in range(-5, 2))
"""The grid of Bello et al. 2017, of which short trainings choose."""


class Trainer(Protocol):
    """A network in training, of any back-end."""

    @property
    def weights(self) -> Floats:
        """(n,) weights as the layout of its setup has them."""
        ...

    def train(self, until: int) -> NDArray[np.float64]:
        """Trains on until so many steps have passed; (steps,) loss of each new one, before its update.

        Raises:
            ChildFailed: if a loss is no finite number, at the first such step.
        """
        ...

    def validate(self) -> tuple[float, float]:
        """Accuracy in percent and mean loss on the validation examples."""
        ...


class Trained(NamedTuple):
    """What came of a training.

    Attributes:
        losses: (steps,) mean loss of the batch of every step, before its update.
        accuracy: percent of validation examples.
        loss: mean over the validation examples.
    """

    losses: NDArray[np.float64]
    accuracy: float
    loss: float


def check_worth(candidate: Program) -> None:
    """Refuses candidates that no training need be spent on.

    Raises:
        ChildFailed: if the candidate is degenerate, see `Fingerprint.degenerate`.
    """
    why = fingerprint(candidate).degenerate
    if why:
        raise ChildFailed(f"{to_text(candidate)} is not worth training: {why}.")


def trainer(backend: str, parts: Parts, setup: Setup, learning_rate: float) -> Trainer:
    """A network before its first step.

    Raises:
        ChildFailed: if the candidate cannot be trained.
    """
    if backend == "numpy":
        from autoglyph.child_programs.expressions.numpy_training import NumpyTraining

        return NumpyTraining(parts, setup, learning_rate)
    if backend == "tensorflow":
        from autoglyph.child_programs.expressions.tensorflow_training import TensorflowTraining

        return TensorflowTraining(parts, setup, learning_rate)
    from autoglyph.child_programs.expressions.keras_training import KerasTraining

    return KerasTraining(parts, setup, learning_rate)


def train(
    candidate: Program,
    data: Dataset,
    *,
    seed: int,
    backend: Backend = "numpy",
    hidden: int = 64,
    steps: int = 200,
    batch: int = 64,
    learning_rate: float = 0.05,
) -> Trained:
    """Trains a network with a candidate in it to the end, whatever its fingerprint says.

    Args:
        candidate: an activation function, update rule or back-propagation rule.
        data: what to train and measure on.
        seed: of weights, order and random numbers.
        backend: what it is trained with.
        hidden: units of each of the two hidden layers.
        steps: updates.
        batch: examples of an update.
        learning_rate: factor of the updates.

    Raises:
        ChildFailed: if a loss is no finite number.
    """
    parts = parts_of(candidate)
    setup = make_setup(data, seed=seed, hidden=hidden, steps=steps, batch=batch, has_beta=parts.has_beta)
    running = trainer(backend, parts, setup, learning_rate)
    losses = running.train(steps)
    return Trained(losses, *running.validate())


class ExpressionTraining(pg.Object):
    """Trains a network of two hidden layers with the candidate as activation function, update or propagation rule.

    Activation functions and back-propagation rules are trained by SGD with momentum 0.9; hidden units are ReLU under
    update rules and tanh under back-propagation rules. Every hidden unit has a beta, 1 at the start, which is trained
    where an activation function reads it.

    Attributes:
        backend: "numpy", "tensorflow" or "keras".
        hidden: units of each hidden layer.
        steps: at which a child is measured, counted from the beginning; the last is the full budget.
        batch: examples of a step.
        learning_rate: factor of the updates; None tries `LEARNING_RATES` for `probe_steps` each and takes the one
            with the smallest validation loss, as Bello et al. 2017 do.
        probe_steps: steps of these short trainings.
        cores: threads TensorFlow may use, for the whole process; None leaves the choice to the executor.
    """

    backend: str = "numpy"
    hidden: int = 64
    steps: list[int] = [200]
    batch: int = 64
    learning_rate: float | None = 0.05
    probe_steps: int = 20
    cores: int | None = None

    def _on_bound(self) -> None:
        super()._on_bound()
        if self.backend not in BACKENDS:
            raise plugins.unknown_name("back-end", str(self.backend), BACKENDS)
        steps = list(self.steps)
        if not steps or steps[0] < 1 or steps != sorted(set(steps)):
            raise ValueError(f"Expected steps that rise from at least 1, received {steps}.")
        for name in ("hidden", "batch", "learning_rate", "probe_steps", "cores"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"Expected {name} above 0, received {value}.")

    @property
    def rungs(self) -> Sequence[Rung]:
        """One rung for each number of steps."""
        return [Rung(f"{n} step{'s' if n > 1 else ''}", "steps", n) for n in self.steps]

    def prepare(self, cores: int) -> None:
        """Imports TensorFlow where the back-end needs it, bound to `cores` threads or the program's own number."""
        if self.backend != "numpy":
            from autoglyph.child_programs.tensorflow_process import prepare_process

            prepare_process(self.cores or cores)

    def run(self, candidate: Program, *, seed: int, data: Dataset) -> Iterator[Measurement]:
        """Trains a candidate rung by rung.

        Args:
            candidate: an activation function, update rule or back-propagation rule.
            seed: of weights, order and random numbers.
            data: what to train and measure on.

        Yields:
            "accuracy" in percent and "loss" on the validation examples, and the "learning_rate".

        Raises:
            ChildFailed: if the candidate is degenerate, or a loss is no finite number.
        """
        started = time.perf_counter()
        check_worth(candidate)
        parts = parts_of(candidate)
        setup = make_setup(
            data, seed=seed, hidden=self.hidden, steps=self.steps[-1], batch=self.batch, has_beta=parts.has_beta
        )
        rate = self.learning_rate if self.learning_rate is not None else self._best_rate(parts, setup)
        running = trainer(self.backend, parts, setup, rate)
        for rung, until in enumerate(self.steps):
            running.train(until)
            accuracy, loss = running.validate()
            if not np.isfinite(loss):
                raise ChildFailed(f"The validation loss after {until} steps is {loss}.")
            values = {"accuracy": accuracy, "loss": loss, "learning_rate": rate}
            yield Measurement(rung, values, time.perf_counter() - started)
            started = time.perf_counter()

    def _best_rate(self, parts: Parts, setup: Setup) -> float:
        found: dict[float, float] = {}
        for rate in LEARNING_RATES:
            short = trainer(self.backend, parts, setup, rate)
            try:
                short.train(min(self.probe_steps, setup.steps))
            except ChildFailed:
                continue
            loss = short.validate()[1]
            if np.isfinite(loss):
                found[rate] = loss
        if not found:
            raise ChildFailed("The loss is no finite number with any learning rate.")
        return min(found, key=lambda rate: (found[rate], rate))
