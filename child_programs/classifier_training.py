"""Training of a classifier, epoch by epoch, as a compiled step."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.child_programs.base import ChildFailed
from autoglyph.child_programs.datasets import Dataset
from autoglyph.child_programs.epoch_training import EpochTraining
from autoglyph.child_programs.fused_optimizers import FusedOptimizer

_EVALUATION_BATCH = 256


class ClassifierTraining(EpochTraining):
    """A model in training on one data set.

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
        super().__init__(
            [*(variable.value for variable in model.variables), *optimizer.state],
            len(data.y_train),
            batch_size=batch_size,
            peak_learning_rate=peak_learning_rate,
            warmup_share=warmup_share,
            epochs=epochs,
            seed=seed,
        )
        self._data = data
        self._step = _training_step(model, optimizer, data, label_smoothing)
        self._logits = _logits_of_batch(model, data)

    def _train_step(self, batch: NDArray[np.int64], learning_rate: np.float32) -> Any:
        import tensorflow as tf

        return self._step(tf.constant(batch, tf.int32), tf.constant(learning_rate))

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
                f"The model gives logits that are not finite after epoch {self.position}: lower the learning rate."
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
