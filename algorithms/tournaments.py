"""Tournaments: a population of one fitness, and sampling from it without replacement."""

from __future__ import annotations

import numpy as np

from autoglyph.algorithms.base import FloatArray, IntArray
from autoglyph.search_spaces import Genome, Rows


class Members:
    """The places of a population, empty at first.

    Args:
        places: how many there are.
        genome: the compiled space.

    Attributes:
        rows: (places, L) canonical rows.
        fitness: (places,) to maximise, -inf where empty.
        trials: (places,) trial numbers, -1 where empty.
    """

    def __init__(self, places: int, genome: Genome) -> None:
        self.rows: Rows = np.zeros((places, genome.length), genome.dtype)
        self.fitness: FloatArray = np.full(places, -np.inf)
        self.trials: IntArray = np.full(places, -1, np.int64)

    def best(self, entrants: IntArray) -> IntArray:
        """(n,) places of the fittest of (n, k) places; the first of equals."""
        winners: IntArray = entrants[np.arange(len(entrants)), self.fitness[entrants].argmax(axis=1)]
        return winners


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
