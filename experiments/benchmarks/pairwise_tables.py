"""The problem on which search tools are compared: 30 decisions of 8 values with 45 random pair interactions.

f(x) is a sum of one table entry a decision and one a pair; z is f less its mean over its standard deviation
under uniformly random x, both in closed form. Table n is drawn with Python's `random.Random(1000 + n)`, so
anybody can draw the same.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from numpy.typing import NDArray

DECISIONS, CANDIDATES, PAIRS = 30, 8, 45

# Best z of each table known: simulated annealing by `best_known`, 400 chains, the same from two seeds.
BEST_KNOWN = {
    1: 9.316815068487745,
    2: 9.477258186714986,
    3: 9.614993658652242,
    4: 9.731321416799627,
    5: 9.079616664764421,
    6: 8.615783535837597,
    7: 9.223755734425579,
}


class PairwiseTable:
    """One random table.

    Args:
        number: from 1; decides the table.
    """

    def __init__(self, number: int) -> None:
        source = random.Random(1000 + number)
        singles = [[source.gauss(0, 1) for _ in range(CANDIDATES)] for _ in range(DECISIONS)]
        pairs: list[tuple[int, int]] = []
        while len(pairs) < PAIRS:
            first, second = sorted(source.sample(range(DECISIONS), 2))
            if (first, second) not in pairs:
                pairs.append((first, second))
        tables = [[[source.gauss(0, 1) for _ in range(CANDIDATES)] for _ in range(CANDIDATES)] for _ in pairs]
        self.number = number
        self.singles = np.array(singles)
        self.first, self.second = np.array(pairs).T
        self.tables = np.array(tables)
        mean, variance = self._moments()
        entries = np.concatenate([self.singles.ravel(), self.tables.ravel()])
        self._entries = entries / np.sqrt(variance)
        self._shift = mean / np.sqrt(variance)
        self._offsets = np.concatenate(
            [np.arange(DECISIONS) * CANDIDATES, self.singles.size + np.arange(PAIRS) * CANDIDATES**2]
        )

    def z(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        """(n,) standardised values of (n, 30) decisions."""
        pairs = rows[:, self.first] * CANDIDATES + rows[:, self.second]
        values: NDArray[np.float64] = self._entries[np.concatenate([rows, pairs], axis=1) + self._offsets].sum(axis=1)
        standardised: NDArray[np.float64] = values - self._shift
        return standardised

    def _moments(self) -> tuple[float, float]:
        """Mean and variance over uniformly random decisions, by orthogonal decomposition."""
        main = self.singles - self.singles.mean(axis=1, keepdims=True)
        means = self.tables.mean(axis=(1, 2), keepdims=True)
        by_first = self.tables.mean(axis=2, keepdims=True) - means
        by_second = self.tables.mean(axis=1, keepdims=True) - means
        np.add.at(main, self.first, by_first[:, :, 0])
        np.add.at(main, self.second, by_second[:, 0, :])
        rest = self.tables - means - by_first - by_second
        mean = float(self.singles.mean(axis=1).sum() + means.sum())
        variance = float((main**2).mean(axis=1).sum() + (rest**2).mean(axis=(1, 2)).sum())
        return mean, variance


def best_known(number: int, *, chains: int = 400, sweeps: int = 600, seed: int = 0) -> float:
    """The best z that simulated annealing with full knowledge of the table finds.

    Args:
        number: of the table.
        chains: annealed side by side.
        sweeps: over all decisions, from temperature 4 down to 0.05 of a standard normal entry.
        seed: of the annealing.
    """
    table = PairwiseTable(number)
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, CANDIDATES, (chains, DECISIONS))
    neighbours: list[list[tuple[NDArray[np.float64], int]]] = [[] for _ in range(DECISIONS)]
    for entries, first, second in zip(table.tables, table.first, table.second, strict=True):
        neighbours[first].append((entries.T, second))
        neighbours[second].append((entries, first))
    for temperature in np.concatenate([np.geomspace(4, 0.05, sweeps), np.full(10, 1e-9)]):
        for decision in rng.permutation(DECISIONS):
            energy = np.repeat(table.singles[decision][None], chains, axis=0)
            for entries, other in neighbours[decision]:
                energy = energy + entries[rows[:, other]]
            rows[:, decision] = (energy + temperature * rng.gumbel(size=energy.shape)).argmax(axis=1)
    return float(table.z(rows).max())
