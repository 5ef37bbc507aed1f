"""Losses of a detector: focal loss of the classes (Lin et al. 2017), Huber loss of the boxes."""

from __future__ import annotations

from typing import Any

from autoglyph.child_programs.detection.anchors import IGNORED

ALPHA, GAMMA = 0.25, 2.0
HUBER_DELTA = 0.1


def focal_losses(logits: Any, classes: Any) -> Any:
    """Focal loss of every anchor, summed over its classes, each of which is a yes or no of its own.

    Args:
        logits: (..., classes).
        classes: (...) class numbers, -1 for background, -2 for anchors that are left out.

    Returns:
        (...) nats, equation 5 of Lin et al. 2017 with alpha 0.25 and gamma 2.
    """
    import tensorflow as tf

    wanted = tf.one_hot(classes, logits.shape[-1])
    cross_entropy = tf.nn.sigmoid_cross_entropy_with_logits(wanted, logits)
    missed = tf.abs(wanted - tf.sigmoid(logits))
    balance = (1 - ALPHA) + (2 * ALPHA - 1) * wanted
    losses = tf.reduce_sum(balance * missed**GAMMA * cross_entropy, axis=-1)
    return tf.where(classes == IGNORED, tf.zeros_like(losses), losses)


def box_losses(codes: Any, wanted: Any, classes: Any) -> Any:
    """Huber loss of every anchor that answers for a box, summed over its four codes; 0 of the others.

    Divided by its delta it is the smooth L1 loss of Girshick 2015 with a corner at 0.1.

    Args:
        codes: (..., 4).
        wanted: (..., 4).
        classes: (...) class numbers, below 0 for anchors that answer for no box.
    """
    import tensorflow as tf

    distance = tf.abs(codes - wanted)
    near = tf.minimum(distance, HUBER_DELTA)
    losses = tf.reduce_sum(near * (distance - near / 2), axis=-1) / HUBER_DELTA
    return tf.where(classes >= 0, losses, tf.zeros_like(losses))


def detection_loss(logits: Any, codes: Any, classes: Any, wanted: Any, box_weight: float) -> Any:
    """Focal and box losses of a batch, each by the number of anchors that answer for a box.

    Args:
        logits: (n, anchors, classes).
        codes: (n, anchors, 4).
        classes: (n, anchors), see `focal_losses`.
        wanted: (n, anchors, 4).
        box_weight: factor on the loss of the boxes.

    Returns:
        A scalar.
    """
    import tensorflow as tf

    positives = tf.maximum(tf.reduce_sum(tf.cast(classes >= 0, tf.float32)), 1.0)
    focal = tf.reduce_sum(focal_losses(logits, classes))
    boxes = tf.reduce_sum(box_losses(codes, wanted, classes))
    return (focal + box_weight * boxes) / positives
