"""Average precision and recall of detections as COCO defines them, computed by pycocotools."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.child_programs.detection.examples import DetectionExamples
from autoglyph.child_programs.detection.suppression import Detections

NAMES = (
    "ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large",
    "ar1", "ar10", "ar100", "ar_small", "ar_medium", "ar_large",
)  # fmt: skip
"""What `COCOeval.summarize` computes, in its order; small is below 32 x 32 pixels, large above 96 x 96."""


def coco_metrics(truth: DetectionExamples, found: Sequence[Detections], classes: int) -> dict[str, float]:
    """The twelve COCO metrics of boxes, in percent; those for which there are no true boxes are left out.

    Args:
        truth: images with their boxes.
        found: detections of each image, in pixels of the square images.
        classes: how many there are.

    Returns:
        By name, see `NAMES`. Areas are those in the original images.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        known: Any = COCO()
        known.dataset = _dataset(truth, classes)
        known.createIndex()
        results = _results(truth, found)
        judged = known.loadRes(results) if len(results) else _no_results(known)
        evaluation = COCOeval(known, judged, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    values = zip(NAMES, evaluation.stats.tolist(), strict=True)
    return {name: 100 * float(value) for name, value in values if value >= 0}


def _dataset(truth: DetectionExamples, classes: int) -> dict[str, Any]:
    annotations: list[dict[str, Any]] = []
    for image, (boxes, labels, crowds, scale) in enumerate(
        zip(truth.boxes, truth.labels, truth.crowds, truth.scales.tolist(), strict=True)
    ):
        for (left, top, right, bottom), label, crowd in zip(
            (boxes / scale).tolist(), labels.tolist(), crowds.tolist(), strict=True
        ):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": label,
                    "bbox": [left, top, right - left, bottom - top],
                    "area": (right - left) * (bottom - top),
                    "iscrowd": int(crowd),
                }
            )
    return {
        "images": [{"id": image} for image in range(len(truth))],
        "categories": [{"id": label} for label in range(classes)],
        "annotations": annotations,
        "info": {},
    }


def _results(truth: DetectionExamples, found: Sequence[Detections]) -> NDArray[np.float64]:
    """(n, 7) image, left, top, width, height, score, class."""
    rows: list[NDArray[Any]] = [np.zeros((0, 7))]
    for image, (detections, scale) in enumerate(zip(found, truth.scales.tolist(), strict=True)):
        boxes = detections.boxes.astype(np.float64) / scale
        sides = boxes[:, 2:] - boxes[:, :2]
        first = np.full((len(boxes), 1), image, np.float64)
        rows.append(
            np.concatenate(
                [first, boxes[:, :2], sides, detections.scores[:, None], detections.classes[:, None]], axis=1
            )
        )
    return np.concatenate(rows)


def _no_results(known: Any) -> Any:
    from pycocotools.coco import COCO

    empty: Any = COCO()
    empty.dataset = {**known.dataset, "annotations": []}
    empty.createIndex()
    return empty
