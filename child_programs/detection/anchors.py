"""Anchors of RetinaNet and which of them answer for which box (Lin et al. 2017, section 4)."""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autoglyph.child_programs.detection.boxes import Boxes, encode, overlaps

POSITIVE_OVERLAP, NEGATIVE_OVERLAP = 0.5, 0.4
NEGATIVE, IGNORED = -1, -2


@dataclass(frozen=True)
class AnchorGrid:
    """Anchors of all positions of the levels of a pyramid, in the order of a RetinaNet's outputs.

    Level l has ceil(resolution / 2^l) positions a side, 2^l pixels apart; at each of them lie anchors of all scales
    and, within a scale, of all ratios.

    Attributes:
        resolution: side of the square images, pixels.
        levels: of the pyramid, from fine to coarse.
        scales: areas within an octave: the side of an anchor grows by 2^(i / scales).
        ratios: width by height.
        size: side of the smallest square anchor in units of the distance of positions.
    """

    resolution: int
    levels: tuple[int, ...] = (3, 4, 5, 6, 7)
    scales: int = 3
    ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    size: float = 4.0

    @property
    def per_position(self) -> int:
        """Anchors at one position."""
        return self.scales * len(self.ratios)

    @functools.cached_property
    def boxes(self) -> Boxes:
        """(anchors, 4) levels, rows, columns, scales, ratios, from slow to fast."""
        found = []
        for level in self.levels:
            stride = 2**level
            count = -(-self.resolution // stride)
            middles = (np.arange(count) + 0.5) * stride
            y, x = np.meshgrid(middles, middles, indexing="ij")
            sides = self.size * stride * 2 ** (np.arange(self.scales) / self.scales)
            roots = np.sqrt(np.array(self.ratios))
            halves = np.stack([np.outer(sides, roots), np.outer(sides, 1 / roots)], axis=-1).reshape(-1, 2) / 2
            centres = np.stack([x, y], axis=-1).reshape(-1, 1, 2)
            found.append(np.concatenate([centres - halves, centres + halves], axis=-1).reshape(-1, 4))
        return np.concatenate(found).astype(np.float32)

    def to_json(self) -> dict[str, Any]:
        """Plain object of the attributes."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> AnchorGrid:
        """The grid that `to_json` described."""
        return cls(
            resolution=int(plain["resolution"]),
            levels=tuple(int(level) for level in plain["levels"]),
            scales=int(plain["scales"]),
            ratios=tuple(float(ratio) for ratio in plain["ratios"]),
            size=float(plain["size"]),
        )


class Matches(NamedTuple):
    """What the anchors of an image are to learn; those not named are background.

    Attributes:
        positive: (p,) anchors that answer for a box.
        classes: (p,) class numbers from 0.
        codes: (p, 4) of their boxes.
        ignored: (k,) anchors that are neither.
    """

    positive: NDArray[np.int32]
    classes: NDArray[np.int32]
    codes: Boxes
    ignored: NDArray[np.int32]


def match(anchors: Boxes, boxes: Boxes, classes: NDArray[Any]) -> Matches:
    """Gives anchors to boxes.

    An anchor answers for the box that it overlaps most, if by 0.5 or more; from 0.4 to 0.5 it is ignored. The anchor
    that overlaps a box most answers for it in any case, so that no box is forgotten.

    Args:
        anchors: (a, 4).
        boxes: (n, 4) with positive sides.
        classes: (n,) class numbers from 0.
    """
    if not len(boxes):
        none = np.zeros(0, np.int32)
        return Matches(none, none, np.zeros((0, 4), np.float32), none)
    shared = overlaps(anchors, boxes)
    owner, best = shared.argmax(1), shared.max(1)
    taken = best >= POSITIVE_OVERLAP
    favourites = shared.argmax(0)
    overlapping = shared.max(0) > 0
    owner[favourites[overlapping]] = np.flatnonzero(overlapping)
    taken[favourites[overlapping]] = True
    positive = np.flatnonzero(taken)
    ignored = np.flatnonzero((best >= NEGATIVE_OVERLAP) & ~taken)
    owners = owner[positive]
    return Matches(
        positive.astype(np.int32),
        np.asarray(classes)[owners].astype(np.int32),
        encode(boxes[owners], anchors[positive]),
        ignored.astype(np.int32),
    )


def targets(matches: list[Matches], anchors: int) -> tuple[NDArray[np.int32], Boxes]:
    """What a batch is to learn, anchor by anchor.

    Args:
        matches: of every image.
        anchors: how many there are.

    Returns:
        (n, anchors) class numbers, -1 for background, -2 for ignored; (n, anchors, 4) codes, 0 but for positives.
    """
    classes = np.full((len(matches), anchors), NEGATIVE, np.int32)
    codes = np.zeros((len(matches), anchors, 4), np.float32)
    for row, found in enumerate(matches):
        classes[row, found.ignored] = IGNORED
        classes[row, found.positive] = found.classes
        codes[row, found.positive] = found.codes
    return classes, codes
