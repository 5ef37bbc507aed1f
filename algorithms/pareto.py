"""Pareto dominance: masks, ranks, crowding distance and hypervolume, larger is better in every column."""

from __future__ import annotations

import bisect

import numpy as np
from numpy.typing import NDArray

from autoglyph.algorithms.base import FloatArray

_BLOCK = 1024
_SWEEP_FROM = 50  # points from which a sweep in Python is faster than comparing blocks


def nondominated_mask(fitness: FloatArray) -> NDArray[np.bool_]:
    """Which points no other point dominates; equal points do not dominate each other.

    Args:
        fitness: (n, M) values to maximise.

    Returns:
        (n,) mask. Two columns, and three of many points, take O(n log n).
    """
    n, columns = fitness.shape
    if n == 0:
        return np.zeros(0, bool)
    if columns == 1:
        best: NDArray[np.bool_] = fitness[:, 0] == fitness[:, 0].max()
        return best
    if columns == 2:
        return _nondominated_pairs(fitness)
    if columns == 3 and n > _SWEEP_FROM:
        return _nondominated_triples(fitness)
    mask = np.ones(n, bool)
    order = np.argsort(-fitness.sum(axis=1), kind="stable")
    front = np.empty((0, columns))
    for start in range(0, n, _BLOCK):
        block = order[start : start + _BLOCK]
        points = fitness[block]
        rivals = np.concatenate([front, points])
        beaten = _dominates(rivals, points).any(axis=0)
        mask[block] = ~beaten
        front = np.concatenate([front, points[~beaten]])
        front = front[~_dominates(front, front).any(axis=0)]
    return mask


def nondominated_ranks(fitness: FloatArray) -> NDArray[np.int64]:
    """(n,) number of the front each point is on, 0 for the best (Deb et al. 2002).

    Args:
        fitness: (n, M) values to maximise.
    """
    n, columns = fitness.shape
    if columns <= 2:
        return _ranks_by_sweep(fitness)
    dominates = _dominates(fitness, fitness)
    count = dominates.sum(axis=0)
    ranks = np.full(n, -1, np.int64)
    rank = 0
    while (ranks < 0).any():
        front = (count == 0) & (ranks < 0)
        ranks[front] = rank
        count = count - dominates[front].sum(axis=0)
        rank += 1
    return ranks


def crowding_distance(fitness: FloatArray) -> FloatArray:
    """(n,) crowding distance of the points of one front, infinite at its ends (Deb et al. 2002)."""
    n, columns = fitness.shape
    distance = np.zeros(n)
    if n == 0:
        return distance
    for column in range(columns):
        order = np.argsort(fitness[:, column], kind="stable")
        values = fitness[order, column]
        span = values[-1] - values[0]
        if n > 2 and span > 0:
            distance[order[1:-1]] += (values[2:] - values[:-2]) / span
        distance[order[[0, -1]]] = np.inf
    return distance


def hypervolume(front: FloatArray, reference: FloatArray) -> float:
    """Exact volume that points dominate above a reference point.

    Args:
        front: (n, M) values to maximise; points that do not exceed the reference in every column count nothing.
        reference: (M,) the worst corner.
    """
    points = np.asarray(front, np.float64) - np.asarray(reference, np.float64)
    points = points[(points > 0).all(axis=1)]
    return _volume(points) if len(points) else 0.0


def _volume(points: FloatArray) -> float:
    columns = points.shape[1]
    if columns == 1:
        return float(points.max())
    if columns == 2:
        order = np.lexsort((-points[:, 1], -points[:, 0]))
        x, y = points[order].T
        top = np.maximum.accumulate(y)
        return float((x * np.diff(top, prepend=0.0)).sum())
    points = points[nondominated_mask(points)]
    order = np.argsort(-points[:, -1], kind="stable")
    points = points[order]
    depths = points[:, -1] - np.append(points[1:, -1], 0.0)
    return float(sum(depth * _volume(points[: i + 1, :-1]) for i, depth in enumerate(depths) if depth > 0))


def _nondominated_pairs(fitness: FloatArray) -> NDArray[np.bool_]:
    order = np.lexsort((-fitness[:, 1], -fitness[:, 0]))
    first, second = fitness[order].T
    opens_group = np.concatenate([[True], first[1:] != first[:-1]])
    group = np.cumsum(opens_group) - 1
    best_of_group = second[opens_group]
    best_before = np.concatenate([[-np.inf], np.maximum.accumulate(best_of_group)[:-1]])
    mask = np.empty(len(fitness), bool)
    mask[order] = (second == best_of_group[group]) & ((group == 0) | (second > best_before[group]))
    return mask


def _nondominated_triples(fitness: FloatArray) -> NDArray[np.bool_]:
    """Sweeps from the best first value down over the stairs of the other two (Kung et al. 1975)."""
    order = np.lexsort((-fitness[:, 2], -fitness[:, 1], -fitness[:, 0]))
    mask = np.zeros(len(fitness), bool)
    seconds: list[float] = []  # negated, rising
    thirds: list[float] = []  # rising
    previous, kept = None, False
    for index, point in zip(order.tolist(), fitness[order].tolist(), strict=True):
        if point != previous:
            previous, second, third = point, -point[1], point[2]
            place = bisect.bisect_right(seconds, second)
            kept = place == 0 or thirds[place - 1] < third
            if kept:
                end = place
                while end < len(thirds) and thirds[end] <= third:
                    end += 1
                start = place - 1 if place and seconds[place - 1] == second else place
                seconds[start:end], thirds[start:end] = [second], [third]
        mask[index] = kept
    return mask


def _ranks_by_sweep(fitness: FloatArray) -> NDArray[np.int64]:
    """Patience sorting: points from best to worst in the first column, each onto the first front that fits.

    A point is dominated by a member of a front exactly if the best second value there reaches its own.
    """
    if fitness.shape[1] == 1:
        return np.unique(-fitness[:, 0], return_inverse=True)[1].astype(np.int64)
    order = np.lexsort((-fitness[:, 1], -fitness[:, 0]))
    ranks: list[int] = []
    negated_tops: list[float] = []
    previous, rank = None, 0
    for point in fitness[order].tolist():
        if point != previous:
            height = -point[1]
            rank = bisect.bisect_right(negated_tops, height)
            negated_tops[rank : rank + 1] = [height]
            previous = point
        ranks.append(rank)
    result = np.empty(len(fitness), np.int64)
    result[order] = ranks
    return result


def _dominates(a: FloatArray, b: FloatArray) -> NDArray[np.bool_]:
    """(len(a), len(b)) whether a point of a dominates a point of b."""
    at_least = (a[:, None, :] >= b[None, :, :]).all(axis=2)
    dominated: NDArray[np.bool_] = at_least & np.any(a[:, None, :] > b[None, :, :], axis=2)
    return dominated
