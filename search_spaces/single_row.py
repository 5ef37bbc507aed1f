"""The mutation of a single row in plain Python, where a NumPy call costs more than the work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autoglyph.search_spaces.columns import Element, Layout, MultiChoice, Node, Slot

Genes = list[Any]
Uniform = Callable[[], float]

_PICK_ATTEMPTS = 32  # before a node is picked from the list of all active ones


class SingleRowMutation:
    """Mutates rows of a space without custom decisions, with the distribution of `Variation.mutate`."""

    def __init__(self, layout: Layout) -> None:
        self._nodes = layout.nodes
        self._is_conditional = any(slot.depth for slot in layout.slots)
        self._parents = [slot.column.parent for slot in layout.slots]
        self._parent_values = [slot.column.parent_value for slot in layout.slots]

    def mutate(self, genes: Genes, uniform: Uniform) -> tuple[int, int]:
        """Draws one active node of the DNA anew, in place.

        Args:
            genes: a canonical row as a list.
            uniform: gives independent numbers from [0, 1).

        Returns:
            First and one past the last column that may have changed.
        """
        node = self._pick(genes, uniform)
        if node.constraint is None:
            _draw(node.element, genes, uniform)
            return node.start, node.end
        assert isinstance(node.element, Slot)
        group = node.constraint
        taken = {genes[i] for i in group.indices} if group.distinct else set()
        free = [value for value in range(group.cardinality) if value not in taken]
        if free:  # a permutation leaves nothing else to choose
            _choose(node.element, free[int(uniform() * len(free))], genes, uniform)
            if group.sorted:
                _sort(group, genes)
        return group.start, group.end

    def mutate_leaf(self, uniform: Uniform) -> tuple[int, float]:
        """`mutate` for a space whose nodes are all single, independent genes.

        Returns:
            The column to change and its new value.
        """
        element = self._nodes[int(uniform() * len(self._nodes))].element
        assert isinstance(element, Slot)
        column = element.column
        if column.bounds is None:
            return element.index, int(uniform() * len(column.candidates))
        return element.index, _draw_float(*column.bounds, uniform)

    def _pick(self, genes: Genes, uniform: Uniform) -> Node:
        """One active node, uniformly: picks among all until the pick is active."""
        nodes = self._nodes
        node = nodes[int(uniform() * len(nodes))]
        if not self._is_conditional:
            return node
        for _ in range(_PICK_ATTEMPTS):
            if self._is_active(node.start, genes):
                return node
            node = nodes[int(uniform() * len(nodes))]
        active = [node for node in nodes if self._is_active(node.start, genes)]
        return active[int(uniform() * len(active))]

    def _is_active(self, column: int, genes: Genes) -> bool:
        while (parent := self._parents[column]) >= 0:
            if genes[parent] != self._parent_values[column]:
                return False
            column = parent
        return True


def _draw(element: Element, genes: Genes, uniform: Uniform) -> None:
    if isinstance(element, MultiChoice):
        for slot, value in zip(element.slots, _draw_choices(element, uniform), strict=True):
            _choose(slot, value, genes, uniform)
    elif element.column.bounds is not None:
        genes[element.index] = _draw_float(*element.column.bounds, uniform)
    else:
        _choose(element, int(uniform() * element.cardinality), genes, uniform)


def _draw_float(low: float, high: float, uniform: Uniform) -> float:
    return min(low + uniform() * (high - low), high) + 0.0


def _choose(slot: Slot, value: int, genes: Genes, uniform: Uniform) -> None:
    """Makes a choice and draws the decisions that it needs; all others below it become inactive."""
    genes[slot.index] = value
    if slot.end > slot.index + 1:
        genes[slot.index + 1 : slot.end] = [0] * (slot.end - slot.index - 1)
        for element in slot.branches[value]:
            _draw(element, genes, uniform)


def _draw_choices(group: MultiChoice, uniform: Uniform) -> Sequence[int]:
    candidates = list(range(group.cardinality))
    count = len(group.slots)
    if group.distinct:
        for i in range(count):  # the first steps of a Fisher-Yates shuffle
            j = i + int(uniform() * (len(candidates) - i))
            candidates[i], candidates[j] = candidates[j], candidates[i]
        chosen = candidates[:count]
    else:
        chosen = [int(uniform() * len(candidates)) for _ in range(count)]
    return sorted(chosen) if group.sorted else chosen


def _sort(group: MultiChoice, genes: Genes) -> None:
    """Puts the choices of a multi-choice in order, each with its sub-spaces."""
    blocks = sorted((genes[slot.index : slot.end] for slot in group.slots), key=lambda block: int(block[0]))
    genes[group.start : group.end] = [gene for block in blocks for gene in block]
