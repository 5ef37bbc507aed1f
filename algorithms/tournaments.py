"""Sampling without replacement, for tournaments."""

from __future__ import annotations

import numpy as np

from autoglyph.algorithms.base import IntArray


def subsets(count: int, size: int, population: int, rng: np.random.Generator) -> IntArray:
    """Uniform subsets of range(population) (Floyd's algorithm, over all subsets at once).

    Args:
        count: how many subsets.
        size: members of each, at most `population`.
        population: size of the range.
        rng: source of randomness.

    Returns:
        (count, size) indices, distinct within a row.
    """
    chosen = np.empty((count, size), np.int64)
    for position in range(size):
        top = population - size + position
        drawn = rng.integers(0, top + 1, count)
        taken = (chosen[:, :position] == drawn[:, None]).any(axis=1)
        chosen[:, position] = np.where(taken, top, drawn)
    return chosen
