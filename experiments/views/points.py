"""The cloud of trials, reduced to as many points as a screen can show, and the front, which stays exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autoglyph.experiments.objectives import FloatArray
from autoglyph.experiments.run import Run
from autoglyph.experiments.views.axes import Axis, axis, default_axes, front_of

LIMIT = 3000

Window = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Points:
    """Trials in the plane or in space.

    Attributes:
        run: whose they are.
        axes: two or three.
        cloud: trials that are shown of all.
        front: trials of the front, by the first axis from worst to best: all of them.
        usable: how many trials have all these values.
    """

    run: Run
    axes: list[Axis]
    cloud: NDArray[np.int64]
    front: NDArray[np.int64]
    usable: int


def points(run: Run, names: Sequence[str] = (), *, limit: int = LIMIT, window: Window | None = None) -> Points:
    """Front and reduced cloud of a run.

    Args:
        run: what to look at.
        names: of two or three axes; without them the objectives.
        limit: most points of the cloud.
        window: (low, high) of each axis; what is outside is left out of the cloud, so that a part that is zoomed into
            shows more of its points.
    """
    axes = [axis(run, name) for name in (names or default_axes(run))]
    values = np.stack([a.values for a in axes], axis=1)
    front = front_of(axes)
    usable = int(np.isfinite(values).all(axis=1).sum())
    return Points(run, axes, reduced(values, limit, front, window), front, usable)


def reduced(
    values: FloatArray, limit: int, keep: NDArray[np.int64] | None = None, window: Window | None = None
) -> NDArray[np.int64]:
    """Indices of at most `limit` points, and of those to keep, that look like all of them; always the same ones.

    The first point of every cell of a grid stays, so outlines and lone points survive.

    Args:
        values: (n, M); rows that are not finite are left out.
        limit: how many.
        keep: indices that stay in any case.
        window: (low, high) of each column; without it, all of them.
    """
    kept = np.zeros(0, np.int64) if keep is None else np.asarray(keep, np.int64)
    inside = np.isfinite(values).all(axis=1)
    for column, (low, high) in zip(values.T, window or (), strict=False):
        inside &= (column >= min(low, high)) & (column <= max(low, high))
    indices = np.flatnonzero(inside)
    if len(indices) > limit:
        indices = indices[_first_of_cells(values[indices], limit)]
    return np.union1d(indices, kept)


def _first_of_cells(values: FloatArray, limit: int) -> NDArray[np.int64]:
    """The finest grid whose occupied cells are no more than the limit, found by halving."""
    places, columns = _places(values), values.shape[1]
    low = max(1, int((limit + 0.5) ** (1 / columns)))  # so many cells cannot be too many
    first, high = _firsts(places, low), limit + 1
    while high - low > max(1, low // 8):
        side = (low + high) // 2
        found = _firsts(places, side)
        if len(found) <= limit:
            low, first = side, found
        else:
            high = side
    return first


def _firsts(places: FloatArray, side: int) -> NDArray[np.int64]:
    cells = (places * side).astype(np.int64).clip(max=side - 1) @ (side ** np.arange(places.shape[1]))
    return np.unique(cells, return_index=True)[1]


def _places(values: FloatArray) -> FloatArray:
    """Each column from 0 to 1 between its 1st and 99th hundredths; what lies beyond goes into the outermost cells."""
    low, high = np.percentile(values, [1, 99], axis=0)
    span = np.where(high > low, high - low, 1.0)
    places: FloatArray = np.clip((values - low) / span, 0.0, 1.0)
    return places
