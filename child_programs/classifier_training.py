"""Training of a classifier, epoch by epoch, as a compiled step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.child_programs import training_state
from autoglyph.child_programs.base import ChildFailed
from autoglyph.child_programs.datasets import Dataset
from autoglyph.child_programs.fused_optimizers import FusedOptimizer

_EVALUATION_BATCH = 256


def cosine_schedule(steps: int, *, peak: float, warmup_steps: int) -> NDArray[np.float32]:
    """(steps,) learning rates: a straight rise over the warm-up, then half a cosine down towards 0."""
    step = np.arange(steps)
    rising = (step + 1) / max(1, warmup_steps)
    falling = 0.5 * (1 + np.cos(np.pi * (step - warmup_steps) / max(1, steps - warmup_steps)))
    return (peak * np.where(step < warmup_steps, rising, falling)).astype(np.float32)


class ClassifierTraining:
    """A model in training on one data set.

    Batches are drawn without replacement in an order that follows from the seed and the epoch; a last batch
    that is not full is left out, because batch normalisation would see other statistics in it.

    Args:
        model: a Keras model that gives logits.
        optimizer: over the model's trainable variables.
        data: what to train and measure on.
        batch_size: examples a step.
        label_smoothing: share of each label that is spread over all classes.
        peak_learning_rate: at the end of the warm-up.
        warmup_share: part of all steps in which the learning rate rises.
        epochs: of the whole training, which the learning rate is planned for.
        seed: of the order of the examples.
    """

    def __init__(
        self,
        model: Any,
        optimizer: FusedOptimizer,
        data: Dataset,
        *,
        batch_size: int,
        label_smoothing: float,
        peak_learning_rate: float,
        warmup_share: float,
        epochs: int,
        seed: int,
    ) -> None:
        self._data = data
        self._seed = seed
        self._batch_size = min(batch_size, len(data.y_train))
        self._steps_per_epoch = len(data.y_train) // self._batch_size
        steps = epochs * self._steps_per_epoch
        self._learning_rates = cosine_schedule(steps, peak=peak_learning_rate, warmup_steps=round(warmup_share * steps))
        self._epoch = 0
        self._variables = [*(variable.value for variable in model.variables), *optimizer.state]
        self._step = _training_step(model, optimizer, data, label_smoothing)
        self._logits = _logits_of_batch(model, data)

    @property
    def epoch(self) -> int:
        """Epochs that have passed."""
        return self._epoch

    def train_until(self, epoch: int) -> float:
        """Trains on until so many epochs have passed, and returns the mean loss of the last one.

        Raises:
            ChildFailed: if a loss is no finite number.
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

    def _train_epoch(self) -> float:
        import tensorflow as tf

        order = np.random.default_rng([self._seed, self._epoch]).permutation(len(self._data.y_train))
        used = order[: self._steps_per_epoch * self._batch_size].reshape(-1, self._batch_size)
        rates = self._learning_rates[self._epoch * self._steps_per_epoch :]
        losses = [
            self._step(tf.constant(batch, tf.int32), tf.constant(rate))
            for batch, rate in zip(used, rates, strict=False)
        ]
        return float(np.mean([loss.numpy() for loss in losses]))

    def validate(self) -> dict[str, float]:
        """Top-1 accuracy in percent and mean cross-entropy in nats on the validation images.

        Raises:
            ChildFailed: if the model gives a logit that is no finite number.
        """
        import tensorflow as tf

        labels = self._data.y_valid
        batches = [
            self._logits(tf.range(start, min(start + _EVALUATION_BATCH, len(labels))))
            for start in range(0, len(labels), _EVALUATION_BATCH)
        ]
        logits = np.concatenate([batch.numpy() for batch in batches]).astype(np.float64)
        if not np.isfinite(logits).all():
            raise ChildFailed(
                f"The model gives logits that are not finite after epoch {self._epoch}: lower the learning rate."
            )
        shifted = logits - logits.max(1, keepdims=True)
        log_likelihoods = shifted[np.arange(len(labels)), labels] - np.log(np.exp(shifted).sum(1))
        return {
            "top1": 100.0 * float(np.mean(logits.argmax(1) == labels)),
            "loss": -float(log_likelihoods.mean()),
        }


def _training_step(model: Any, optimizer: FusedOptimizer, data: Dataset, label_smoothing: float) -> Any:
    """A compiled function of example numbers and learning rate that makes one step and gives its loss."""
    import tensorflow as tf

    images, labels = tf.constant(data.x_train), tf.constant(data.y_train)
    variables = [variable.value for variable in model.trainable_variables]
    spread = label_smoothing / data.classes

    def step(batch: Any, learning_rate: Any) -> Any:
        targets = tf.one_hot(
            tf.gather(labels, batch), data.classes, on_value=1 - label_smoothing + spread, off_value=spread
        )
        with tf.GradientTape() as tape:
            logits = model(tf.gather(images, batch), training=True)
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))
        optimizer.apply(tape.gradient(loss, variables), learning_rate)
        return loss

    return tf.function(step, autograph=False, jit_compile=False)


def _logits_of_batch(model: Any, data: Dataset) -> Any:
    """A compiled function of the numbers of validation images to their logits."""
    import tensorflow as tf

    images = tf.constant(data.x_valid)

    def logits(batch: Any) -> Any:
        return model(tf.gather(images, batch), training=False)

    examples = tf.TensorSpec([None], tf.int32)
    return tf.function(logits, autograph=False, jit_compile=False, input_signature=[examples])
