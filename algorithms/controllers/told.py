"""Trials on their way from tell to an update: batches of told ones, and memories of how they were asked for."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Generic, TypeVar

import numpy as np

from autoglyph.algorithms.base import FloatArray
from autoglyph.search_spaces import Rows

_Memory = TypeVar("_Memory")


class Batches:
    """Collects rows and their rewards until there are enough for an update.

    Args:
        size: trials of a batch.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._rows: list[Rows] = []
        self._rewards: list[FloatArray] = []

    def add(self, rows: Rows, rewards: FloatArray) -> list[tuple[Rows, FloatArray]]:
        """Takes (n, L) rows and (n,) rewards; returns the batches that are now full, in order."""
        self._rows.append(rows)
        self._rewards.append(rewards)
        if sum(map(len, self._rows)) < self._size:
            return []
        all_rows, all_rewards = np.concatenate(self._rows), np.concatenate(self._rewards)
        full = len(all_rows) // self._size * self._size
        self._rows, self._rewards = [all_rows[full:]], [all_rewards[full:]]
        starts = range(0, full, self._size)
        return [(all_rows[s : s + self._size], all_rewards[s : s + self._size]) for s in starts]


class Asked(Generic[_Memory]):
    """How rows that are not told yet were proposed; a row proposed twice is remembered twice, first come first.

    Args:
        capacity: rows to remember; the oldest, which were lost, are forgotten.
    """

    def __init__(self, capacity: int = 4096) -> None:
        self._capacity = capacity
        self._memories: OrderedDict[bytes, deque[_Memory]] = OrderedDict()

    def remember(self, key: bytes, memory: _Memory) -> None:
        """Notes how a row was proposed."""
        self._memories.setdefault(key, deque()).append(memory)
        if len(self._memories) > self._capacity:
            self._memories.popitem(last=False)

    def recall(self, key: bytes) -> _Memory | None:
        """How the row was proposed, which is then forgotten; None if that is not known."""
        waiting = self._memories.get(key)
        if not waiting:
            return None
        memory = waiting.popleft()
        if not waiting:
            del self._memories[key]
        return memory
