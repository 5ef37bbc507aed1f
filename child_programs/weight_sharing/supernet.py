"""A supernet: shared weights, the images they are trained on, and how they change."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyglove as pg
from numpy.typing import NDArray

from autoglyph.child_programs.datasets import Dataset
from autoglyph.child_programs.weight_sharing.shared_weights import Arrays, SharedWeights
from autoglyph.search_spaces.architecture import Architecture
from autoglyph.search_spaces.net import Net, Tensor

MOMENTUM = 0.9
CLIP_NORM = 5.0


class Supernet:
    """Shared weights and the data they are trained on.

    Args:
        weights: of all paths.
        data: images; networks are made for their size, channels and classes.
        width: channel counts as a factor of the published base width.
        label_smoothing: share of each label that is spread over all classes in training.
    """

    def __init__(
        self, weights: SharedWeights, data: Dataset, *, width: float = 0.25, label_smoothing: float = 0.1
    ) -> None:
        import tensorflow as tf

        self.weights = weights
        self.data = data
        self._width = width
        self._smoothing = label_smoothing
        self._images = tf.constant(data.x_train), tf.constant(data.x_valid)
        self._labels = tf.one_hot(data.y_train, data.classes), tf.one_hot(data.y_valid, data.classes)
        self._velocities: dict[Any, Any] = {}

    def fitted(self, individual: Architecture) -> Architecture:
        """The network of an individual for the data at hand."""
        data = self.data
        return individual.proxy(
            resolution=data.resolution, channels=data.channels, classes=data.classes, width=self._width
        )

    def fitted_mixture(self, mixed: Architecture) -> Architecture:
        """The same of an individual with mixtures in place of decisions."""
        with pg.enable_type_check(False):
            return self.fitted(mixed)

    def images(self, batch: Any, *, validation: bool = False) -> Any:
        """Training or validation images by number."""
        import tensorflow as tf

        return tf.gather(self._images[validation], batch)

    def logits(self, net: Net, fitted: Architecture) -> Any:
        """(n, classes) what a reading makes of a network, as a tensor.

        Raises:
            ValueError: if the network has several outputs.
        """
        output = fitted.build(net)
        if not isinstance(output, Tensor):
            raise ValueError("Weight sharing trains classifiers: this network has several outputs.")
        return output.value

    def loss(self, logits: Any, batch: Any, *, validation: bool = False) -> Any:
        """Mean cross-entropy of the logits of images by number, as a tensor."""
        import tensorflow as tf

        smoothing = 0.0 if validation else self._smoothing
        targets = tf.gather(self._labels[validation], batch) * (1 - smoothing) + smoothing / self.data.classes
        return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))

    def descend(self, variables: list[Any], gradients: list[Any], learning_rate: Any) -> None:
        """One step of Nesterov's gradient descent on those variables that the gradient reaches.

        Others stay as they are, and so does their momentum: they belong to other paths.

        Args:
            variables: of TensorFlow.
            gradients: of them, None or zeros where a path does not use a variable; clipped to a norm of 5 together.
            learning_rate: a scalar.
        """
        import tensorflow as tf

        used = [(v, g) for v, g in zip(variables, gradients, strict=True) if g is not None]
        clipped, _ = tf.clip_by_global_norm([g for _, g in used], CLIP_NORM)
        for (variable, _), gradient in zip(used, clipped, strict=True):
            velocity = self.velocity(variable)
            moved = MOMENTUM * velocity - learning_rate * gradient
            is_reached = tf.reduce_any(gradient != 0)
            velocity.assign(tf.where(is_reached, moved, velocity))
            variable.assign_add(tf.where(is_reached, MOMENTUM * moved - learning_rate * gradient, 0.0))

    def begin_with(self, values: Mapping[str, Arrays]) -> None:
        """Sets weights that were made before to these values, and all momentum to zero.

        Args:
            values: of `SharedWeights.values`.
        """
        self.weights.assign(values)
        for velocity in self._velocities.values():
            velocity.assign(velocity * 0)

    def velocity(self, variable: Any) -> Any:
        """The momentum of a variable."""
        import tensorflow as tf

        if variable.ref() not in self._velocities:
            self._velocities[variable.ref()] = tf.Variable(tf.zeros(variable.shape), trainable=False)
        return self._velocities[variable.ref()]

    def measured(self, logits: NDArray[np.float32], batch: NDArray[np.int64]) -> dict[str, float]:
        """What logits of validation images are worth: "top1" in percent and "loss" in nats."""
        labels = self.data.y_valid[batch]
        exact = logits.astype(np.float64)
        shifted = exact - exact.max(1, keepdims=True)
        likelihood = shifted[np.arange(len(labels)), labels] - np.log(np.exp(shifted).sum(1))
        return {"top1": 100.0 * float(np.mean(exact.argmax(1) == labels)), "loss": -float(likelihood.mean())}


def batches(examples: int, size: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """(size,) numbers of examples without end, every epoch in an order of its own."""
    epoch = 0
    while True:
        order = np.random.default_rng([seed, epoch]).permutation(examples)
        yield from order[: examples // size * size].reshape(-1, size)
        epoch += 1


def cosine(step: int, steps: int, peak: float, warmup_share: float = 0.05) -> float:
    """Learning rate of a step: a linear rise, then half a cosine."""
    warm = max(1, round(warmup_share * steps))
    if step < warm:
        return peak * (step + 1) / warm
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))
