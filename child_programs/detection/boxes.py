"""Boxes as corners (left, top, right, bottom) in pixels: overlaps, and their codes relative to anchors.

The codes are those of Ren et al. 2015 (Faster R-CNN), equation 2: shifts in units of the anchor, logarithms of sizes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]
"""(n, 4) left, top, right, bottom in pixels."""

LARGEST_GROWTH = math.log(1000 / 16)
"""Bound of decoded sizes, as a logarithm of the anchor's; a wild code gives a large box and no overflow."""


def no_boxes() -> Boxes:
    """(0, 4)."""
    return np.zeros((0, 4), np.float32)


def areas(boxes: NDArray[Any]) -> NDArray[Any]:
    """(n,) square pixels; 0 where a box is turned inside out."""
    sides = np.maximum(boxes[..., 2:] - boxes[..., :2], 0)
    found: NDArray[Any] = sides[..., 0] * sides[..., 1]
    return found


def overlaps(boxes: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
    """Intersection over union of every pair.

    Args:
        boxes: (n, 4).
        others: (m, 4).

    Returns:
        (n, m) from 0 to 1; 0 where both boxes are empty.
    """
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    sides = np.maximum(high - low, 0)
    shared = sides[..., 0] * sides[..., 1]
    union = areas(boxes)[:, None] + areas(others)[None] - shared
    found: NDArray[Any] = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return found


def encode(boxes: NDArray[Any], anchors: NDArray[Any]) -> Boxes:
    """(n, 4) codes of boxes relative to as many anchors: shift of the centre in x and y, growth in width and height.

    Args:
        boxes: (n, 4) with positive sides.
        anchors: (n, 4) with positive sides.
    """
    centres, sides = _centres_and_sides(boxes)
    anchor_centres, anchor_sides = _centres_and_sides(anchors)
    codes = np.concatenate([(centres - anchor_centres) / anchor_sides, np.log(sides / anchor_sides)], axis=-1)
    return codes.astype(np.float32)


def decode(codes: NDArray[Any], anchors: NDArray[Any]) -> Boxes:
    """Boxes of codes, the inverse of `encode`.

    Args:
        codes: (..., n, 4).
        anchors: (n, 4).

    Returns:
        (..., n, 4).
    """
    anchor_centres, anchor_sides = _centres_and_sides(anchors)
    centres = codes[..., :2] * anchor_sides + anchor_centres
    halves = np.exp(np.minimum(codes[..., 2:], LARGEST_GROWTH)) * anchor_sides / 2
    return np.concatenate([centres - halves, centres + halves], axis=-1).astype(np.float32)


def clip(boxes: NDArray[Any], width: float, height: float) -> Boxes:
    """The parts of boxes (..., 4) that lie within an image."""
    clipped: Boxes = np.clip(boxes, 0, np.array([width, height, width, height], np.float32)).astype(np.float32)
    return clipped


def _centres_and_sides(boxes: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    sides = boxes[..., 2:] - boxes[..., :2]
    return boxes[..., :2] + sides / 2, sides
