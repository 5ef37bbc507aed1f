"""Handwritten digits of four sizes on dark canvases: a detection task that needs no download.

The digits are those of scikit-learn (UCI, Alpaydin 1998), real handwriting of 8 x 8 pixels; where they stand and how
large they are is drawn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from autoglyph.child_programs.dataset_sources import DIGITS, read_source
from autoglyph.child_programs.detection.boxes import no_boxes, overlaps
from autoglyph.child_programs.detection.examples import DetectionDataset, DetectionExamples, StoredImages
from autoglyph.child_programs.images import ImageArray, resize, unit_range

NAME = "digits_canvas"
SIDE = 128
SIZES = (20, 32, 48, 72)
"""Sides of the pasted digits, pixels."""
COUNTS = {"train": 512, "valid": 128, "test": 256}
"""Canvases of each part."""
SHARES = {"train": 0.6, "valid": 0.2, "test": 0.2}
"""Of the digits; no digit is in two parts."""
MOST_DIGITS = 6
ANCHOR_SIZE = 2.0
"""Anchors from 16 pixels on, which suits boxes of 10 to 72 pixels."""
_INK = 0.2
_NOISE = 0.15
_TRIES = 20
_CLOSEST = 0.05


def digits_canvas(*, seed: int, resolution: int = SIDE, limit: int | None = None) -> DetectionDataset:
    """Draws canvases, the same for equal arguments.

    Args:
        seed: of which digits are in which part, and of where and how large they are pasted.
        resolution: side of the canvases, pixels; the sizes of digits are in proportion to it.
        limit: most canvases of each part.

    Raises:
        ValueError: if the resolution or the limit does not fit.
    """
    if resolution < 64:
        raise ValueError(f"Canvases of {resolution} pixels are too small for digits: give a resolution of 64 or more.")
    source = read_source(DIGITS).train
    digits, labels = unit_range(source.images), source.labels
    order = np.random.default_rng([seed, 0]).permutation(len(labels))
    parts: list[DetectionExamples] = []
    start = 0
    for number, (name, count) in enumerate(COUNTS.items()):
        end = start + round(SHARES[name] * len(order))
        chosen, start = order[start:end], end
        count = count if limit is None else min(limit, count)
        rng = np.random.default_rng([seed, 1, number])
        parts.append(_examples(digits[chosen], labels[chosen], count, resolution, rng))
    train, valid, test = parts
    return DetectionDataset(
        train=train,
        valid=valid,
        test=test,
        resolution=resolution,
        class_names=tuple(map(str, range(10))),
        name=NAME,
        source=f"scikit-learn digits on canvases of {resolution} x {resolution}, seed {seed}, no digit in two parts",
        anchor_size=ANCHOR_SIZE,
    )


def _examples(
    digits: ImageArray, labels: NDArray[np.int32], count: int, resolution: int, rng: np.random.Generator
) -> DetectionExamples:
    sizes = [round(size * resolution / SIDE) for size in SIZES]
    scaled = [resize(digits, size)[..., 0] for size in sizes]
    boxes, classes = [], []
    pixels = np.zeros((count, resolution, resolution, 1), np.uint8)
    for canvas_number in range(count):
        canvas = rng.random((resolution, resolution)).astype(np.float32) * _NOISE
        placed, chosen = no_boxes(), []
        for _ in range(rng.integers(1, MOST_DIGITS + 1)):
            digit, size = rng.integers(len(digits)), rng.integers(len(sizes))
            for _ in range(_TRIES):
                left, top = rng.integers(0, resolution - sizes[size] + 1, 2)
                box = _ink_box(scaled[size][digit]) + np.array([left, top, left, top], np.float32)
                if overlaps(box[None], placed).max(initial=0) <= _CLOSEST:
                    part = canvas[top : top + sizes[size], left : left + sizes[size]]
                    np.maximum(part, scaled[size][digit], out=part)
                    placed = np.concatenate([placed, box[None]])
                    chosen.append(labels[digit])
                    break
        pixels[canvas_number, ..., 0] = np.rint(canvas * 255)
        boxes.append(placed)
        classes.append(np.array(chosen, np.int32))
    return DetectionExamples(
        StoredImages(pixels),
        tuple(boxes),
        tuple(classes),
        tuple(np.zeros(len(c), bool) for c in classes),
        np.ones(count),
    )


def _ink_box(digit: NDArray[np.float32]) -> NDArray[np.float32]:
    """(4,) the smallest box around the ink of an image (height, width)."""
    rows, columns = (np.flatnonzero((digit > _INK).any(axis)) for axis in (1, 0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32)
