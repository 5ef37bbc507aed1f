"""Training by epochs: order of the examples, learning rates and what is kept between rungs."""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.child_programs import training_state
from autoglyph.child_programs.base import ChildFailed


def cosine_schedule(steps: int, *, peak: float, warmup_steps: int) -> NDArray[np.float32]:
    """(steps,) learning rates: a straight rise over the warm-up, then half a cosine down towards 0."""
    step = np.arange(steps)
    rising = (step + 1) / max(1, warmup_steps)
    falling = 0.5 * (1 + np.cos(np.pi * (step - warmup_steps) / max(1, steps - warmup_steps)))
    return (peak * np.where(step < warmup_steps, rising, falling)).astype(np.float32)


class EpochTraining(abc.ABC):
    """A training that goes through its examples epoch by epoch.

    Batches are drawn without replacement in an order that follows from the seed and the epoch; a last batch
    that is not full is left out, because batch normalisation would see other statistics in it.

    Args:
        variables: of TensorFlow: weights, optimizer and whatever else changes in training.
        examples: how many there are to train on.
        batch_size: examples a step.
        peak_learning_rate: at the end of the warm-up.
        warmup_share: part of all steps in which the learning rate rises.
        epochs: of the whole training, which the learning rate is planned for.
        seed: of the order of the examples.
    """

    def __init__(
        self,
        variables: Sequence[Any],
        examples: int,
        *,
        batch_size: int,
        peak_learning_rate: float,
        warmup_share: float,
        epochs: int,
        seed: int,
    ) -> None:
        self._variables, self._examples, self._seed = variables, examples, seed
        self.batch_size = min(batch_size, examples)
        """Examples a step: no more than there are."""
        self._steps_per_epoch = examples // self.batch_size
        steps = epochs * self._steps_per_epoch
        self._learning_rates = cosine_schedule(steps, peak=peak_learning_rate, warmup_steps=round(warmup_share * steps))
        self._epoch = 0

    @property
    def position(self) -> int:
        """Epochs that have passed."""
        return self._epoch

    def train_until(self, epoch: int) -> float:
        """Trains on until so many epochs have passed, and returns the mean loss of the last one.

        Raises:
            ChildFailed: if a loss is no finite number.
            ValueError: if an example cannot be read, in one sentence.
        """
        loss = math.nan
        while self._epoch < epoch:
            loss = self._train_epoch()
            self._epoch += 1
            if not math.isfinite(loss):
                raise ChildFailed(f"The training loss became {loss} in epoch {self._epoch}: lower the learning rate.")
        return loss

    def state(self) -> bytes:
        """Epoch, weights and optimizer as an .npz file: all that a training needs to go on from here."""
        return training_state.pack(self._variables, position=self._epoch, unit="epoch")

    def restore(self, state: bytes) -> None:
        """Goes on from where `state` was taken.

        Raises:
            ValueError: if it was taken of another network or optimizer.
        """
        self._epoch = training_state.unpack(state, self._variables, unit="epoch")

    @abc.abstractmethod
    def _train_step(self, batch: NDArray[np.int64], learning_rate: np.float32) -> Any:
        """One step on (batch_size,) examples by number, as a tensor that will hold its loss."""

    def _train_epoch(self) -> float:
        order = np.random.default_rng([self._seed, self._epoch]).permutation(self._examples)
        batches = order[: self._steps_per_epoch * self.batch_size].reshape(-1, self.batch_size)
        rates = self._learning_rates[self._epoch * self._steps_per_epoch :]
        losses = [self._train_step(batch, rate) for batch, rate in zip(batches, rates, strict=False)]
        return float(np.mean([loss.numpy() for loss in losses]))
