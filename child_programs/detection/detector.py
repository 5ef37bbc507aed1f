"""A detector: a Keras model of a RetinaNet with its anchors and the names of its classes."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoglyph.child_programs.base import ChildFailed
from autoglyph.child_programs.detection.anchors import AnchorGrid
from autoglyph.child_programs.detection.coco_metrics import coco_metrics
from autoglyph.child_programs.detection.examples import DetectionExamples
from autoglyph.child_programs.detection.suppression import Detections, detect
from autoglyph.child_programs.images import ImageArray

PRIOR = 0.01
"""Probability of every class at the start of a training (Lin et al. 2017, section 4.1)."""
_BATCH = 32


@dataclass(frozen=True, eq=False)
class Detector:
    """Finds boxes in images.

    Attributes:
        model: a `keras.Model` of images (n, side, side, channels) in [0, 1]; its outputs are class logits
            (n, rows, columns, anchors x classes) of every level, then box codes (n, rows, columns, anchors x 4). Of a
            model with exits, which has so many outputs for each, the last one detects; see `early_exit`.
        anchors: of its levels.
        class_names: by number.
    """

    model: Any
    anchors: AnchorGrid
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        shapes = [tuple(output.shape[1:]) for output in self.model.outputs[-2 * len(self.anchors.levels) :]]
        sides = [-(-self.anchors.resolution // 2**level) for level in self.anchors.levels]
        wanted = [
            (side, side, self.anchors.per_position * values) for values in (len(self.class_names), 4) for side in sides
        ]
        if shapes != wanted:
            raise ValueError(f"The model gives outputs of shapes {shapes}, but the anchors need {wanted}.")

    def detect(self, images: ImageArray, *, least_score: float = 0.05) -> list[Detections]:
        """Detections of every image, in its pixels.

        Args:
            images: (n, side, side, channels) in [0, 1].
            least_score: of a detection.

        Raises:
            ChildFailed: if the model gives a value that is no finite number.
        """
        logits, codes = (values.numpy() for values in self._outputs(images))
        if not (np.isfinite(logits).all() and np.isfinite(codes).all()):
            raise ChildFailed("The model gives values that are not finite: lower the learning rate.")
        resolution, boxes = self.anchors.resolution, self.anchors.boxes
        return [
            detect(of_image, codes_of_image, boxes, resolution=resolution, least_score=least_score)
            for of_image, codes_of_image in zip(logits, codes, strict=True)
        ]

    def measure(self, examples: DetectionExamples, *, least_score: float = 0.01) -> dict[str, float]:
        """COCO metrics in percent, see `coco_metrics`.

        Raises:
            ChildFailed: if the model gives a value that is no finite number.
        """
        found: list[Detections] = []
        for start in range(0, len(examples), _BATCH):
            rows = range(start, min(start + _BATCH, len(examples)))
            found += self.detect(examples.images.batch(rows), least_score=least_score)
        return coco_metrics(examples, found, len(self.class_names))

    @functools.cached_property
    def _outputs(self) -> Any:
        """A compiled function of images to logits (n, anchors, classes) and codes (n, anchors, 4)."""
        import tensorflow as tf

        def outputs(images: Any) -> Any:
            return flat_outputs(self.model, images, self.anchors, len(self.class_names), training=False)[-1]

        signature = [tf.TensorSpec(self.model.inputs[0].shape, tf.float32)]
        return tf.function(outputs, autograph=False, jit_compile=False).get_concrete_function(*signature)


def flat_outputs(
    model: Any, images: Any, anchors: AnchorGrid, classes: int, *, training: bool
) -> list[tuple[Any, Any]]:
    """Logits (n, anchors, classes) and codes (n, anchors, 4) of every exit of a model, in the order of the anchors."""
    import tensorflow as tf

    outputs = model(images, training=training)
    levels = len(anchors.levels)

    def joined(start: int, values: int) -> Any:
        maps = outputs[start : start + levels]
        return tf.concat([tf.reshape(m, [-1, math.prod(m.shape[1:]) // values, values]) for m in maps], axis=1)

    return [(joined(start, classes), joined(start + levels, 4)) for start in range(0, len(outputs), 2 * levels)]
