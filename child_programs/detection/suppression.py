"""From class logits and box codes to detections: decoding, and non-maximum suppression class by class."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autoglyph.child_programs.detection.boxes import Boxes, clip, decode

CANDIDATES = 1000
"""Most candidates that enter suppression, as in the public RetinaNets (1,000 a level to 5,000 in all)."""


class Detections(NamedTuple):
    """What was found in an image, from sure to unsure.

    Attributes:
        boxes: (n, 4) left, top, right, bottom, pixels.
        classes: (n,) class numbers from 0.
        scores: (n,) from 0 to 1.
    """

    boxes: Boxes
    classes: NDArray[np.int32]
    scores: NDArray[np.float32]


def suppress(boxes: Boxes, scores: NDArray[Any], *, overlap: float, limit: int) -> NDArray[np.intp]:
    """Greedy non-maximum suppression: the best box that is left stays, and those that overlap it by more go.

    Args:
        boxes: (n, 4).
        scores: (n,); finite.
        overlap: intersection over union above which the worse of two boxes goes.
        limit: most boxes to keep.

    Returns:
        (k,) numbers of the boxes kept, from the best on.
    """
    import tensorflow as tf

    kept = tf.image.non_max_suppression(
        np.asarray(boxes, np.float32), np.asarray(scores, np.float32), limit, iou_threshold=overlap
    )
    return np.asarray(kept.numpy(), np.intp)


def detect(
    logits: NDArray[Any],
    codes: NDArray[Any],
    anchors: Boxes,
    *,
    resolution: int,
    least_score: float = 0.05,
    overlap: float = 0.5,
    limit: int = 100,
) -> Detections:
    """Detections of one image (Lin et al. 2017, section 4.1).

    Args:
        logits: (a, classes) of the anchors, each class by itself.
        codes: (a, 4).
        anchors: (a, 4).
        resolution: side of the square image, pixels.
        least_score: of a candidate.
        overlap: of two boxes of one class above which the worse one goes.
        limit: most detections.
    """
    scores = 1 / (1 + np.exp(-np.asarray(logits, np.float64)))
    anchor, label = np.nonzero(scores >= least_score)
    score = scores[anchor, label]
    if len(score) > CANDIDATES:
        best = np.argsort(-score, kind="stable")[:CANDIDATES]
        anchor, label, score = anchor[best], label[best], score[best]
    boxes = clip(decode(codes[anchor], anchors[anchor]), resolution, resolution)
    apart = boxes + (label * 2 * resolution)[:, None]
    kept = suppress(apart, score, overlap=overlap, limit=limit)
    return Detections(boxes[kept], label[kept].astype(np.int32), score[kept].astype(np.float32))
