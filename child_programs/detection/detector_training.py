"""Training of a detector, epoch by epoch, as a compiled step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autoglyph.child_programs import training_state
from autoglyph.child_programs.base import ChildFailed
from autoglyph.child_programs.classifier_training import cosine_schedule
from autoglyph.child_programs.detection.anchors import Matches, match, targets
from autoglyph.child_programs.detection.detection_loss import detection_loss
from autoglyph.child_programs.detection.detector import Detector, flat_outputs
from autoglyph.child_programs.detection.examples import DetectionExamples
from autoglyph.child_programs.fused_optimizers import FusedOptimizer

LARGEST_GRADIENT = 10.0
"""Norm of all gradients together to which larger ones are shortened."""


class DetectorTraining:
    """A detector in training.

    Batches are drawn without replacement in an order that follows from the seed and the epoch; a last batch that is
    not full is left out. Which anchors answer for which box is found once for every image. The loss of a detector with
    exits is the mean over them.

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
        self._detector, self._examples, self._seed = detector, examples, seed
        self._batch_size = min(batch_size, len(examples))
        self._steps_per_epoch = len(examples) // self._batch_size
        steps = epochs * self._steps_per_epoch
        self._learning_rates = cosine_schedule(steps, peak=peak_learning_rate, warmup_steps=round(warmup_share * steps))
        self._epoch = 0
        self._variables = [*(variable.value for variable in detector.model.variables), *optimizer.state]
        self._step = _training_step(detector, optimizer, box_weight, self._batch_size)
        self._matches: dict[int, Matches] = {}

    @property
    def epoch(self) -> int:
        """Epochs that have passed."""
        return self._epoch

    def train_until(self, epoch: int) -> float:
        """Trains on until so many epochs have passed, and returns the mean loss of the last one.

        Raises:
            ChildFailed: if a loss is no finite number.
            ValueError: if an image cannot be read, in one sentence.
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

        order = np.random.default_rng([self._seed, self._epoch]).permutation(len(self._examples))
        used = order[: self._steps_per_epoch * self._batch_size].reshape(-1, self._batch_size)
        rates = self._learning_rates[self._epoch * self._steps_per_epoch :]
        anchors = len(self._detector.anchors.boxes)
        losses = []
        for rows, rate in zip(used, rates, strict=False):
            images = self._examples.images.batch(rows)
            classes, codes = targets([self._matched(int(row)) for row in rows], anchors)
            losses.append(self._step(tf.constant(images), tf.constant(classes), tf.constant(codes), tf.constant(rate)))
        return float(np.mean([loss.numpy() for loss in losses]))

    def _matched(self, row: int) -> Matches:
        if row not in self._matches:
            single = ~self._examples.crowds[row]
            boxes, labels = self._examples.boxes[row][single], self._examples.labels[row][single]
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
