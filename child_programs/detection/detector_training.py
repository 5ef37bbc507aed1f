"""Training of a detector, epoch by epoch, as a compiled step."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.child_programs.detection.anchors import Matches, match, targets
from autoglyph.child_programs.detection.detection_loss import detection_loss
from autoglyph.child_programs.detection.detector import Detector, flat_outputs
from autoglyph.child_programs.detection.examples import DetectionExamples
from autoglyph.child_programs.epoch_training import EpochTraining
from autoglyph.child_programs.fused_optimizers import FusedOptimizer

LARGEST_GRADIENT = 10.0
"""Norm of all gradients together to which larger ones are shortened."""


class DetectorTraining(EpochTraining):
    """A detector in training.

    Which anchors answer for which box is found once for every image. The loss of a detector with exits is the mean
    over them.

    Args:
        detector: its model is trained.
        optimizer: over the model's trainable variables.
        examples: to train on; boxes of crowds are left out.
        batch_size: images a step.
        box_weight: factor on the loss of the boxes.
        peak_learning_rate: at the end of the warm-up.
        warmup_share: part of all steps in which the learning rate rises.
        epochs: of the whole training, which the learning rate is planned for.
        seed: of the order of the images.
    """

    def __init__(
        self,
        detector: Detector,
        optimizer: FusedOptimizer,
        examples: DetectionExamples,
        *,
        batch_size: int,
        box_weight: float,
        peak_learning_rate: float,
        warmup_share: float,
        epochs: int,
        seed: int,
    ) -> None:
        super().__init__(
            [*(variable.value for variable in detector.model.variables), *optimizer.state],
            len(examples),
            batch_size=batch_size,
            peak_learning_rate=peak_learning_rate,
            warmup_share=warmup_share,
            epochs=epochs,
            seed=seed,
        )
        self._detector, self._data = detector, examples
        self._step = _training_step(detector, optimizer, box_weight, self.batch_size)
        self._matches: dict[int, Matches] = {}

    def _train_step(self, batch: NDArray[np.int64], learning_rate: np.float32) -> Any:
        import tensorflow as tf

        images = self._data.images.batch(batch)
        classes, codes = targets([self._matched(int(row)) for row in batch], len(self._detector.anchors.boxes))
        return self._step(tf.constant(images), tf.constant(classes), tf.constant(codes), tf.constant(learning_rate))

    def _matched(self, row: int) -> Matches:
        if row not in self._matches:
            single = ~self._data.crowds[row]
            boxes, labels = self._data.boxes[row][single], self._data.labels[row][single]
            self._matches[row] = match(self._detector.anchors.boxes, boxes, labels)
        return self._matches[row]


def _training_step(detector: Detector, optimizer: FusedOptimizer, box_weight: float, batch_size: int) -> Any:
    """A compiled function of images, classes, codes and learning rate that makes one step and gives its loss."""
    import tensorflow as tf

    model, classes = detector.model, len(detector.class_names)
    variables = [variable.value for variable in model.trainable_variables]

    def step(images: Any, labels: Any, wanted: Any, learning_rate: Any) -> Any:
        with tf.GradientTape() as tape:
            exits = flat_outputs(model, images, detector.anchors, classes, training=True)
            losses = [detection_loss(logits, codes, labels, wanted, box_weight) for logits, codes in exits]
            loss = tf.add_n(losses) / len(losses)
        gradients = tape.gradient(loss, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        clipped, _ = tf.clip_by_global_norm(gradients, LARGEST_GRADIENT)
        optimizer.apply(clipped, learning_rate)
        return loss

    anchors = len(detector.anchors.boxes)
    signature = [
        tf.TensorSpec([batch_size, *model.inputs[0].shape[1:]], tf.float32),
        tf.TensorSpec([batch_size, anchors], tf.int32),
        tf.TensorSpec([batch_size, anchors, 4], tf.float32),
        tf.TensorSpec([], tf.float32),
    ]
    return tf.function(step, autograph=False, jit_compile=False).get_concrete_function(*signature)
