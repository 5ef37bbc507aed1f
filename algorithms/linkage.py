"""Which decisions interact: linkage found by checks for non-additivity, many decisions at a time.

Two sets of decisions are linked if changing both changes a function by another amount than the two changes
add up to (linkage identification by non-linearity check; Munetomo and Goldberg 1999). The check of two sets
costs one evaluation once the sets have been changed on their own, and sets that are not linked contain no
linked pair, so halving the linked ones finds a sparse graph of L decisions in about 2 L + 3 evaluations a
link, instead of one for each of L (L - 1) / 2 pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from autoglyph.algorithms.base import FloatArray

Change = frozenset[int]

_NONE: Change = frozenset()
_ENOUGH_PAIRS = 12


class _Half(NamedTuple):
    """A set of decisions and the two halves it is checked by."""

    members: Change
    halves: tuple[_Half, ...]


class _Block(NamedTuple):
    """Two linked sets that are narrowed down next, and by how much they fail to add up."""

    divided: _Half
    other: _Half
    excess: FloatArray


class LinkageScreening:
    """Asks for values of changes to a reference individual until the linked pairs are known.

    Excesses of pairs are taken to add up over sets, so that the excess of a second half follows from that of
    the first: exact where decisions interact in pairs at most. Effects that cancel out in a set go unseen.

    Args:
        decisions: how many there are, L.
        order: (L,) permutation of the decisions; neighbours in it are checked together first.
        tolerance: excess below which decisions are not linked, as a share of the range of values seen.
        densest: share of linked pairs above which the screening ends with the verdict `dense`.
    """

    def __init__(self, decisions: int, order: Sequence[int], *, tolerance: float = 1e-4, densest: float = 0.5) -> None:
        self._decisions = decisions
        self._tolerance = tolerance
        self._densest = densest
        self._values: dict[Change, FloatArray] = {}
        self._root = _halved(list(order))
        self._missing = dict.fromkeys([_NONE, *_nested(self._root)])
        self._waiting: list[_Block] = []
        self._pairs_resolved = 0
        self._threshold: FloatArray = np.zeros(0)
        self.links: list[tuple[int, int]] = []
        self.dense = False

    @property
    def finished(self) -> bool:
        """Whether every pair is known to be linked or not, or too many are linked to go on."""
        return self.dense or not self._missing

    @property
    def missing(self) -> list[Change]:
        """Changes whose values are wanted: which decisions to change, all at once, in the reference."""
        return [] if self.finished else list(self._missing)

    def measured(self, change: Change, value: FloatArray) -> None:
        """Takes the (M,) objectives of the reference with a change; a failure ends the screening as dense."""
        if change not in self._missing:
            return
        del self._missing[change]
        self._values[change] = value
        if not np.isfinite(value).all():
            self.dense = True
        elif not self._missing and not self.dense:
            self._advance()

    def _advance(self) -> None:
        blocks, self._waiting = self._waiting, []
        if not len(self._threshold):
            self._threshold = self._tolerance * np.ptp(np.array(list(self._values.values())), axis=0)
            self._check_siblings(self._root)
        for block in blocks:
            first, second = block.divided.halves
            excess = self._excess(first, block.other)
            self._resolve(first, block.other, excess)
            self._resolve(second, block.other, block.excess - excess)
        if self._pairs_resolved >= min(_ENOUGH_PAIRS, self._decisions // 2):
            self.dense = len(self.links) > self._densest * self._pairs_resolved
        wanted = (block.divided.halves[0].members | block.other.members for block in self._waiting)
        self._missing = dict.fromkeys(change for change in wanted if change not in self._values)
        if self._waiting and not self._missing and not self.dense:
            self._advance()

    def _check_siblings(self, node: _Half) -> None:
        for half in node.halves:
            self._check_siblings(half)
        if node.halves:
            first, second = node.halves
            self._resolve(first, second, self._excess(first, second))

    def _excess(self, first: _Half, second: _Half) -> FloatArray:
        apart = self._values[first.members] + self._values[second.members]
        return self._values[first.members | second.members] + self._values[_NONE] - apart

    def _resolve(self, first: _Half, second: _Half, excess: FloatArray) -> None:
        if (np.abs(excess) <= self._threshold).all():
            self._pairs_resolved += len(first.members) * len(second.members)
        elif first.halves or second.halves:
            larger, smaller = sorted((first, second), key=lambda half: len(half.members), reverse=True)
            self._waiting.append(_Block(larger, smaller, excess))
        else:
            self._pairs_resolved += 1
            low, high = sorted([*first.members, *second.members])
            self.links.append((low, high))


def link_array(links: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    """(E, 2) pairs of decisions in ascending order."""
    return np.array(sorted(links), np.int64).reshape(-1, 2)


def _halved(members: list[int]) -> _Half:
    middle = len(members) // 2
    halves = (_halved(members[:middle]), _halved(members[middle:])) if len(members) > 1 else ()
    return _Half(frozenset(members), halves)


def _nested(node: _Half) -> list[Change]:
    return [*(change for half in node.halves for change in _nested(half)), node.members]
