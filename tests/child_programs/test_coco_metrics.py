"""COCO metrics against an independent computation from the definition, on random boxes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_detection_boxes import overlap_of_two, random_boxes

from autoglyph.child_programs.detection.coco_metrics import coco_metrics
from autoglyph.child_programs.detection.examples import DetectionExamples, StoredImages
from autoglyph.child_programs.detection.suppression import Detections

OVERLAPS = np.linspace(0.5, 0.95, 10)


def examples(boxes: list[Any], labels: list[Any], scales: Any = None) -> DetectionExamples:
    return DetectionExamples(
        StoredImages(np.zeros((len(boxes), 1, 1, 1), np.uint8)),
        tuple(boxes),
        tuple(labels),
        tuple(np.zeros(len(b), bool) for b in boxes),
        np.ones(len(boxes)) if scales is None else scales,
    )


def average_precision(
    truth: DetectionExamples, found: list[Detections], classes: int, least: float, low: float = 0, high: float = 1e10
) -> float:
    """Mean over classes of the precision at 101 recalls, for one overlap and boxes of a range of areas, percent."""
    values = []
    for label in range(classes):
        marks, wanted = [], 0
        for boxes, labels, detections in zip(truth.boxes, truth.labels, found, strict=True):
            true = boxes[labels == label].astype(float)
            size = (true[:, 2] - true[:, 0]) * (true[:, 3] - true[:, 1])
            counts = (size >= low) & (size <= high)
            wanted += counts.sum()
            free = set(range(len(true)))
            mine = detections.classes == label
            order = np.argsort(-detections.scores[mine], kind="stable")
            for box, score in zip(
                detections.boxes[mine][order].astype(float), detections.scores[mine][order], strict=True
            ):
                shared = {k: overlap_of_two(box, true[k]) for k in free}
                best = max(
                    (k for k in free if shared[k] >= least), key=lambda k: (counts[k], shared[k], k), default=None
                )
                area = (box[2] - box[0]) * (box[3] - box[1])
                if best is not None:
                    free.discard(best)
                    if counts[best]:
                        marks.append((score, True))
                elif low <= area <= high:
                    marks.append((score, False))
        if not wanted:
            continue
        marks.sort(key=lambda m: -m[0])
        right = np.cumsum([hit for _, hit in marks])
        recall, precision = right / wanted, right / np.arange(1, len(marks) + 1)
        best_from = [precision[recall >= r - 1e-12].max(initial=0) for r in np.linspace(0, 1, 101)]
        values.append(np.mean(best_from))
    return 100 * float(np.mean(values))


def random_case(seed: int) -> tuple[DetectionExamples, list[Detections], int]:
    rng = np.random.default_rng(seed)
    classes, boxes, labels, found = 3, [], [], []
    for _ in range(8):
        true = random_boxes(rng, int(rng.integers(0, 6)), 120.0)
        of_true = rng.integers(0, classes, len(true)).astype(np.int32)
        moved = np.repeat(true, 2, axis=0) + rng.normal(0, 3, (2 * len(true), 4)).astype(np.float32)
        guessed = np.where(
            rng.random(2 * len(true)) < 0.8, np.repeat(of_true, 2), rng.integers(0, classes, 2 * len(true))
        )
        others = random_boxes(rng, 5, 120.0)
        all_boxes = np.concatenate([moved, others]).astype(np.float32)
        all_classes = np.concatenate([guessed, rng.integers(0, classes, 5)]).astype(np.int32)
        scores = rng.random(len(all_boxes)).astype(np.float32)
        order = np.argsort(-scores)
        boxes.append(true)
        labels.append(of_true)
        found.append(Detections(all_boxes[order], all_classes[order], scores[order]))
    return examples(boxes, labels), found, classes


@pytest.mark.parametrize("seed", range(6))
def test_metrics_equal_the_definition_on_random_boxes(seed: int) -> None:
    truth, found, classes = random_case(seed)
    metrics = coco_metrics(truth, found, classes)
    by_overlap = [average_precision(truth, found, classes, least) for least in OVERLAPS]
    assert metrics["ap"] == pytest.approx(np.mean(by_overlap), abs=1e-6)
    assert metrics["ap50"] == pytest.approx(by_overlap[0], abs=1e-6)
    assert metrics["ap75"] == pytest.approx(by_overlap[5], abs=1e-6)
    medium = [average_precision(truth, found, classes, least, 32**2, 96**2) for least in OVERLAPS]
    assert metrics["ap_medium"] == pytest.approx(np.mean(medium), abs=1e-6)


def test_perfect_and_missing_detections() -> None:
    truth, _, classes = random_case(0)
    perfect = [
        Detections(boxes, labels, np.ones(len(boxes), np.float32))
        for boxes, labels in zip(truth.boxes, truth.labels, strict=True)
    ]
    assert coco_metrics(truth, perfect, classes)["ap"] == pytest.approx(100)
    none = [Detections(b[:0], c[:0], np.zeros(0, np.float32)) for b, c, _ in perfect]
    metrics = coco_metrics(truth, none, classes)
    assert metrics["ap"] == 0 and metrics["ar100"] == 0


def test_areas_are_those_of_the_original_images_and_absent_sizes_are_left_out() -> None:
    box = np.array([[0, 0, 40, 40]], np.float32)
    perfect = [Detections(box, np.zeros(1, np.int32), np.ones(1, np.float32))]
    own = coco_metrics(examples([box], [np.zeros(1, np.int32)]), perfect, 1)
    assert own["ap_medium"] == pytest.approx(100) and "ap_small" not in own and "ap_large" not in own
    shrunk = coco_metrics(examples([box], [np.zeros(1, np.int32)], np.array([0.25])), perfect, 1)
    assert shrunk["ap_large"] == pytest.approx(100) and "ap_medium" not in shrunk


def test_detections_in_a_crowd_are_neither_right_nor_wrong() -> None:
    boxes = np.array([[0, 0, 50, 50], [60, 60, 120, 120]], np.float32)
    truth = DetectionExamples(
        StoredImages(np.zeros((1, 1, 1, 1), np.uint8)),
        (boxes,),
        (np.zeros(2, np.int32),),
        (np.array([False, True]),),
        np.ones(1),
    )
    inside = np.array([[0, 0, 50, 50], [62, 62, 80, 80], [90, 90, 110, 110]], np.float32)
    found = [Detections(inside, np.zeros(3, np.int32), np.array([0.5, 0.9, 0.8], np.float32))]
    assert coco_metrics(truth, found, 1)["ap"] == pytest.approx(100)
