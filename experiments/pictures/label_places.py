"""Places for labels beside their points, so that none covers another."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_DIRECTIONS = 32
_REACH = 20  # how many heights of a line a label may stand away from its point


class Box(NamedTuple):
    """A rectangle on the canvas, y upwards, in any unit."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def centre(self) -> tuple[float, float]:
        """Its middle."""
        return (self.left + self.right) / 2, (self.bottom + self.top) / 2

    def nearest(self, x: float, y: float) -> tuple[float, float]:
        """The point of it that is nearest to another point."""
        return min(max(x, self.left), self.right), min(max(y, self.bottom), self.top)

    def overlaps(self, other: Box) -> bool:
        """Whether the two share some area."""
        return (
            self.left < other.right and other.left < self.right and self.bottom < other.top and other.bottom < self.top
        )

    def inside(self, other: Box) -> bool:
        """Whether the other holds all of it."""
        return (
            other.left <= self.left
            and self.right <= other.right
            and other.bottom <= self.bottom
            and self.top <= other.top
        )


def around(x: float, y: float, radius: float) -> Box:
    """The square around a point."""
    return Box(x - radius, y - radius, x + radius, y + radius)


def along(ends: Sequence[tuple[float, float]], width: float) -> Iterator[Box]:
    """Squares that cover a line of several parts."""
    for (x0, y0), (x1, y1) in zip(ends, ends[1:], strict=False):
        count = max(1, math.ceil(math.hypot(x1 - x0, y1 - y0) / width))
        for i in range(count + 1):
            yield around(x0 + (x1 - x0) * i / count, y0 + (y1 - y0) * i / count, width / 2)


def place(
    points: Sequence[tuple[float, float, float]],
    labels: Sequence[str],
    *,
    glyph: tuple[float, float],
    canvas: Box,
    taken: Sequence[Box] = (),
) -> list[Box | None]:
    """Puts each label at the nearest free place, the first labels first.

    Neither labels nor the straight lines from points to labels cover another label; lines cross no other marker as far
    as there is a choice.

    Args:
        points: x, y and radius of the marker of each label.
        labels: texts of one line.
        glyph: width and height of a character.
        canvas: where labels may stand.
        taken: what they may not cover, beside markers and other labels.

    Returns:
        The box of each label, None for those that find no place near their point.
    """
    markers = [around(*point) for point in points]
    used = [*taken, *markers]
    boxes: list[Box | None] = []
    for (x, y, radius), label, marker in zip(points, labels, markers, strict=True):
        others = [other for other in markers if not other.overlaps(marker)]
        placed = [box for box in boxes if box is not None]
        free = [
            candidate
            for candidate in _candidates(x, y, radius, glyph[0] * len(label), glyph[1])
            if candidate.inside(canvas)
            and not any(candidate.overlaps(box) for box in used)
            and not _crosses(candidate, x, y, placed)
        ]
        found = next((c for c in free if not _crosses(c, x, y, others)), free[0] if free else None)
        boxes.append(found)
        if found is not None:
            used += [found, *_line(found, x, y)]
    return boxes


def _line(box: Box, x: float, y: float) -> list[Box]:
    return [*along([(x, y), box.nearest(x, y)], 2.0)]


def _crosses(box: Box, x: float, y: float, others: Sequence[Box]) -> bool:
    return any(part.overlaps(other) for part in _line(box, x, y) for other in others)


def _candidates(x: float, y: float, radius: float, width: float, height: float) -> Iterator[Box]:
    for ring in range(_REACH):
        for step in range(_DIRECTIONS):
            angle = 2 * math.pi * step / _DIRECTIONS
            across, up = math.cos(angle), math.sin(angle)
            gap = radius + (0.25 + ring) * height
            middle_x, middle_y = x + across * (gap + width / 2), y + up * (gap + height / 2)
            yield Box(middle_x - width / 2, middle_y - height / 2, middle_x + width / 2, middle_y + height / 2)
