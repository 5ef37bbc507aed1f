"""Overlaps, box codes, anchors, matching, suppression and losses against references written out one by one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoglyph.child_programs.detection.anchors import IGNORED, NEGATIVE, AnchorGrid, match, targets
from autoglyph.child_programs.detection.boxes import decode, encode, no_boxes, overlaps
from autoglyph.child_programs.detection.detection_loss import box_losses, detection_loss, focal_losses
from autoglyph.child_programs.detection.suppression import detect, suppress


def random_boxes(rng: np.random.Generator, n: int, side: float = 100.0) -> Any:
    corners = rng.uniform(0, side, (n, 2))
    return np.concatenate([corners, corners + rng.uniform(1, side / 2, (n, 2))], axis=1).astype(np.float32)


def overlap_of_two(a: Any, b: Any) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(0.0, width) * max(0.0, height)
    return float(shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared))


def decoded_one(code: Any, anchor: Any) -> list[float]:
    width, height = anchor[2] - anchor[0], anchor[3] - anchor[1]
    x, y = anchor[0] + width / 2 + code[0] * width, anchor[1] + height / 2 + code[1] * height
    w, h = width * math.exp(min(code[2], math.log(62.5))), height * math.exp(min(code[3], math.log(62.5)))
    return [x - w / 2, y - h / 2, x + w / 2, y + h / 2]


def suppressed_one_by_one(boxes: Any, scores: Any, overlap: float, limit: int) -> list[int]:
    kept: list[int] = []
    for at in sorted(range(len(scores)), key=lambda i: -scores[i]):
        if len(kept) < limit and all(overlap_of_two(boxes[at], boxes[k]) <= overlap for k in kept):
            kept.append(at)
    return kept


@pytest.mark.parametrize("seed", range(5))
def test_overlaps_are_those_of_every_pair(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = random_boxes(rng, 12), random_boxes(rng, 9)
    wanted = [[overlap_of_two(x, y) for y in b.astype(float)] for x in a.astype(float)]
    np.testing.assert_allclose(overlaps(a, b), wanted, atol=1e-5)


def test_empty_boxes_overlap_nothing() -> None:
    assert overlaps(np.zeros((2, 4), np.float32), np.zeros((1, 4), np.float32)).tolist() == [[0.0], [0.0]]
    assert overlaps(no_boxes(), np.ones((3, 4), np.float32)).shape == (0, 3)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_decoding_undoes_encoding_and_equals_a_reference(seed: int) -> None:
    rng = np.random.default_rng(seed)
    boxes, anchors = random_boxes(rng, 20), random_boxes(rng, 20)
    np.testing.assert_allclose(decode(encode(boxes, anchors), anchors), boxes, atol=2e-3)
    codes = rng.normal(0, 3, (20, 4)).astype(np.float32)
    wanted = [decoded_one(c, a) for c, a in zip(codes.astype(float), anchors.astype(float), strict=True)]
    np.testing.assert_allclose(decode(codes, anchors), wanted, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("seed", range(20))
def test_suppression_equals_a_reference(seed: int) -> None:
    rng = np.random.default_rng(seed)
    boxes, scores = random_boxes(rng, 60), rng.permutation(60).astype(np.float32) / 60
    for overlap, limit in ((0.3, 100), (0.5, 7), (0.0, 100)):
        kept = suppress(boxes, scores, overlap=overlap, limit=limit)
        assert kept.tolist() == suppressed_one_by_one(boxes.astype(float), scores, overlap, limit)


@pytest.mark.parametrize("seed", range(5))
def test_detections_are_suppressed_class_by_class(seed: int) -> None:
    rng = np.random.default_rng(seed)
    anchors = random_boxes(rng, 40, 60.0)
    logits, codes = rng.normal(-1, 2, (40, 3)), rng.normal(0, 0.2, (40, 4)).astype(np.float32)
    found = detect(logits, codes, anchors, resolution=96, least_score=0.2, overlap=0.4, limit=1000)
    scores = 1 / (1 + np.exp(-logits))
    boxes = np.clip([decoded_one(c, a) for c, a in zip(codes, anchors, strict=True)], 0, 96)
    wanted = set()
    for label in range(3):
        rows = np.flatnonzero(scores[:, label] >= 0.2)
        kept = suppressed_one_by_one(boxes[rows], scores[rows, label], 0.4, 1000)
        wanted |= {(label, round(float(scores[rows[k], label]), 4)) for k in kept}
    assert {(int(c), round(float(s), 4)) for c, s in zip(found.classes, found.scores, strict=True)} == wanted
    assert (np.diff(found.scores) <= 0).all()
    assert len(detect(logits, codes, anchors, resolution=96, least_score=0.2, limit=4).scores) == 4


def test_anchors_lie_around_the_positions_of_their_levels() -> None:
    grid = AnchorGrid(128)
    assert grid.boxes.shape == (9 * (16**2 + 8**2 + 4**2 + 2**2 + 1), 4)
    centres = (grid.boxes[:, :2] + grid.boxes[:, 2:]) / 2
    np.testing.assert_allclose(centres[:9], 4.0, atol=1e-4)
    np.testing.assert_allclose(centres[9], [12, 4], atol=1e-4)
    np.testing.assert_allclose(centres[-1], 64, atol=1e-4)
    sides = grid.boxes[:, 2:] - grid.boxes[:, :2]
    np.testing.assert_allclose(sides[1], [32, 32], rtol=1e-5)
    np.testing.assert_allclose(sides[0], [32 * 0.5**0.5, 32 * 2**0.5], rtol=1e-5)
    np.testing.assert_allclose(sides[7], 32 * 2 ** (2 / 3), rtol=1e-5)
    assert AnchorGrid.from_json(grid.to_json()) == grid


@pytest.mark.parametrize("seed", range(5))
def test_every_box_has_an_anchor_and_overlaps_decide_the_rest(seed: int) -> None:
    rng = np.random.default_rng(seed)
    anchors, boxes = AnchorGrid(128, size=2.0).boxes, random_boxes(rng, 4, 80.0)
    found = match(anchors, boxes, np.arange(4))
    assert set(found.classes.tolist()) == {0, 1, 2, 3}
    shared = overlaps(anchors, boxes)
    sure = np.flatnonzero(shared.max(1) >= 0.5)
    assert set(sure.tolist()) <= set(found.positive.tolist())
    assert not set(found.ignored.tolist()) & set(found.positive.tolist())
    between = (shared.max(1) >= 0.4) & (shared.max(1) < 0.5)
    assert set(found.ignored.tolist()) <= set(np.flatnonzero(between).tolist())
    np.testing.assert_allclose(decode(found.codes, anchors[found.positive]), boxes[found.classes], atol=1e-3)
    classes, codes = targets([found, match(anchors, no_boxes(), np.zeros(0))], len(anchors))
    assert (classes[0, found.positive] == found.classes).all() and (classes[0, found.ignored] == IGNORED).all()
    assert (classes[1] == NEGATIVE).all() and not codes[1].any()


def test_losses_equal_their_formulas() -> None:
    import tensorflow as tf

    rng = np.random.default_rng(0)
    logits, classes = rng.normal(0, 3, (2, 6, 3)), np.array([[0, -1, 2, -2, 1, -1], [-1, -1, -2, -1, 0, 2]], np.int32)
    wanted = np.zeros((2, 6))
    for at in np.ndindex(2, 6):
        for label in range(3):
            p = 1 / (1 + math.exp(-logits[at][label]))
            yes = classes[at] == label
            share, right = (0.25, p) if yes else (0.75, 1 - p)
            wanted[at] += 0 if classes[at] == -2 else -share * (1 - right) ** 2 * math.log(right)
    focal = focal_losses(tf.constant(logits, tf.float32), tf.constant(classes)).numpy()
    np.testing.assert_allclose(focal, wanted, rtol=1e-4, atol=1e-6)

    codes, truth = rng.normal(0, 0.2, (2, 6, 4)).astype(np.float32), rng.normal(0, 0.2, (2, 6, 4)).astype(np.float32)
    off = np.abs(codes - truth)
    smooth = np.where(off < 0.1, off**2 / 2 / 0.1, off - 0.05).sum(-1) * (classes >= 0)
    found = box_losses(tf.constant(codes), tf.constant(truth), tf.constant(classes)).numpy()
    np.testing.assert_allclose(found, smooth, rtol=1e-4, atol=1e-6)
    inputs = [tf.constant(v) for v in (logits.astype(np.float32), codes, classes, truth)]
    total = float(detection_loss(*inputs, 2.0))
    assert total == pytest.approx((wanted.sum() + 2 * smooth.sum()) / 5, rel=1e-4)
