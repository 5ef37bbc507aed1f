"""All points of a finite space by number, in exactly the order of `pg.geno.Sweeping`.

Any stretch of the order can be produced without what comes before it, so a sweep can be shared out (worker
k takes the points [a, b)) and resumed from one integer.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.search_spaces.columns import Element, Layout, MultiChoice, Slot

INFINITE = -1
_INT64_LIMIT = 2**62


class Enumeration:
    """The numbered points of a space.

    Attributes:
        size: how many points there are, -1 if infinitely many.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._sizes: dict[Element, tuple[int, ...]] = {}
        self._is_finite = all(slot.column.kind == "choice" for slot in layout.slots)
        self.size = self._space_size(layout.elements) if self._is_finite else INFINITE

    def rows(self, start: int, stop: int, dtype: Any) -> NDArray[Any]:
        """(stop - start, L) points number start to stop - 1.

        Raises:
            ValueError: if the space is infinite or has no such points.
        """
        self.require_finite()
        if not 0 <= start <= stop <= self.size:
            raise ValueError(f"Expected 0 <= start <= stop <= {self.size}, received {start} and {stop}.")
        fits = self.size < _INT64_LIMIT
        numbers = np.arange(start, stop) if fits else np.array(range(start, stop), object)
        rows = np.zeros((stop - start, len(self._layout.slots)), dtype)
        for element in reversed(self._layout.elements):  # the last element runs fastest
            size = self._element_size(element)
            numbers, rest = numbers // size, numbers % size
            wanted, place = np.unique(rest, return_inverse=True)
            first, end = (element.index if isinstance(element, Slot) else element.start), element.end
            table = np.array([self._element_row(element, int(number)) for number in wanted], dtype)
            if len(wanted):
                rows[:, first:end] = table[place, first:end]
        return rows

    def require_finite(self) -> None:
        """Raises ValueError if the points cannot be numbered."""
        if not self._is_finite:
            raise ValueError("Expected a finite space to enumerate, received floats or custom decisions.")

    def _element_row(self, element: Element, number: int) -> list[int]:
        """A row with one element's decisions, everything else 0."""
        genes = [0] * len(self._layout.slots)
        self._write_space([element], number, genes)
        return genes

    def _space_size(self, elements: Sequence[Element]) -> int:
        return math.prod(self._element_size(element) for element in elements)

    def _element_size(self, element: Element) -> int:
        if isinstance(element, MultiChoice):
            sizes = self._branch_sizes(element.slots[0])
            return _completions(element.distinct, element.sorted, len(element.slots), sizes, -1, ())
        return sum(self._branch_sizes(element))

    def _branch_sizes(self, slot: Slot) -> tuple[int, ...]:
        """Points of the sub-space of each candidate."""
        if slot not in self._sizes:
            self._sizes[slot] = tuple(self._space_size(branch) for branch in slot.branches)
        return self._sizes[slot]

    def _write_space(self, elements: Sequence[Element], number: int, genes: list[int]) -> None:
        for element in reversed(elements):  # the last element runs fastest
            number, rest = divmod(number, self._element_size(element))
            if isinstance(element, MultiChoice):
                self._write_choices(element, rest, genes)
            else:
                self._write_choice(element, rest, genes)

    def _write_choice(self, slot: Slot, number: int, genes: list[int]) -> None:
        for value, size in enumerate(self._branch_sizes(slot)):
            if number < size:
                genes[slot.index] = value
                self._write_space(slot.branches[value], number, genes)
                return
            number -= size

    def _write_choices(self, group: MultiChoice, number: int, genes: list[int]) -> None:
        used: tuple[int, ...] = ()
        last = -1
        sizes = self._branch_sizes(group.slots[0])
        for remaining, slot in zip(range(len(group.slots) - 1, -1, -1), group.slots, strict=True):
            for value, size in enumerate(sizes):
                if (group.distinct and value in used) or (group.sorted and value < last):
                    continue
                chosen = tuple(sorted((*used, value))) if group.distinct else ()
                completions = _completions(group.distinct, group.sorted, remaining, sizes, value, chosen)
                if number < size * completions:
                    within, number = divmod(number, completions)
                    genes[slot.index] = value
                    self._write_space(slot.branches[value], within, genes)
                    used, last = chosen, value
                    break
                number -= size * completions


@functools.lru_cache(maxsize=1 << 16)
def _completions(
    distinct: bool, in_order: bool, remaining: int, sizes: tuple[int, ...], last: int, used: tuple[int, ...]
) -> int:
    """Ways to make the remaining choices of a multi-choice, each with the points of its sub-space.

    These are symmetric polynomials in the sizes of the candidates' sub-spaces: elementary ones for distinct
    choices, complete homogeneous ones for sorted choices that may repeat.

    Args:
        distinct: whether no candidate may be chosen twice.
        in_order: whether choices must be in the order of the candidates.
        remaining: how many choices are left to make.
        sizes: points of the sub-space of each candidate.
        last: the latest choice made, -1 if none.
        used: candidates chosen already, in order; empty unless distinct.
    """
    if remaining == 0:
        return 1
    lowest = 0 if not in_order or last < 0 else last + distinct
    allowed = [n for value, n in enumerate(sizes) if value >= lowest and not (distinct and value in used)]
    if not distinct and not in_order:
        return int(sum(allowed) ** remaining)
    polynomial = [1] + [0] * remaining
    for n in allowed:
        for degree in range(remaining, 0, -1) if distinct else range(1, remaining + 1):
            polynomial[degree] += n * polynomial[degree - 1]
    return polynomial[remaining] * (1 if in_order else math.factorial(remaining))
