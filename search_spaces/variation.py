"""Random rows and new rows from old ones, vectorised over a population.

The distributions are PyGlove's: `random` is that of `pg.random_dna`, `mutate` that of
`pg.evolution.mutators.Uniform` (Real et al., 2019). `redraw` is the mutation of the Evolved Transformer (So
et al., 2019): every field is drawn anew with the same small probability.
"""

from __future__ import annotations

import random as python_random
from typing import Any

import numpy as np
import pyglove as pg
from numpy.typing import NDArray

from autoglyph.search_spaces.columns import Layout, MultiChoice, Node
from autoglyph.search_spaces.custom_values import CustomValues
from autoglyph.search_spaces.single_row import SingleRowMutation

Rows = NDArray[np.int32 | np.float64]
Mask = NDArray[np.bool_]

_FEW_ROWS = 8  # up to here plain Python is faster than NumPy


class Variation:
    """The operators of one space; rows in and out are canonical.

    Attributes:
        dtype: int32, or float64 where a row must hold floats or custom values.
    """

    def __init__(self, layout: Layout, custom_values: CustomValues) -> None:
        self._custom_values = custom_values
        self._slots = layout.slots
        self._length = len(layout.slots)
        columns = [slot.column for slot in layout.slots]
        kinds = [column.kind for column in columns]
        self.dtype: Any = np.int32 if all(kind == "choice" for kind in kinds) else np.float64
        bounds = np.array([column.bounds or (0.0, 0.0) for column in columns], np.float64).reshape(-1, 2)
        self._low, self._high = bounds[:, 0], bounds[:, 1]
        self._cardinality = np.array([slot.cardinality for slot in layout.slots], np.float64)
        self._scale = self._cardinality + (self._high - self._low)
        self._is_float = np.array([kind == "float" for kind in kinds], bool)
        self._is_custom = np.array([kind == "custom" for kind in kinds], bool)
        self._has_floats, self._has_custom = bool(self._is_float.any()), bool(self._is_custom.any())
        self._parent = np.array([column.parent for column in columns], np.intp)
        self._parent_value = np.array([column.parent_value for column in columns], np.intp)
        depth = np.array([slot.depth for slot in layout.slots], np.intp)
        self._levels = [np.flatnonzero(depth == level) for level in range(1, depth.max(initial=0) + 1)]
        self._constrained = [group for group in layout.multi_choices if group.constrained]
        self._unit = np.arange(self._length)
        for group in self._constrained:
            self._unit[group.indices] = group.start
        self._nodes = layout.nodes
        self._node_start = np.array([node.start for node in layout.nodes], np.intp)
        self._node_end = np.array([node.end for node in layout.nodes], np.intp)
        self._node_constrained = np.array([node.constraint is not None for node in layout.nodes], bool)
        self._single_row = SingleRowMutation(layout)
        self._only_leaves = not (self._has_custom or self._constrained) and all(
            node.end == node.start + 1 for node in layout.nodes
        )

    def active(self, rows: Rows) -> Mask:
        """(n, L) mask of the genes whose decision is made."""
        mask = np.ones(rows.shape, bool)
        for level in self._levels:
            parent = self._parent[level]
            mask[:, level] = mask[:, parent] & (rows[:, parent] == self._parent_value[level])
        return mask

    def canonical(self, rows: Rows) -> Rows:
        """The same points of the space with every inactive gene 0."""
        array: NDArray[Any] = np.asarray(rows, self.dtype)
        if self._levels:
            array = np.where(self.active(array), array, 0).astype(self.dtype, copy=False)
        return np.add(array, 0.0) if self._has_floats else array  # adding 0.0 makes -0.0 positive

    def random(self, n: int, rng: np.random.Generator) -> Rows:
        """(n, L) independent rows."""
        rows = self.canonical(self._sample(n, rng))
        if self._has_custom:
            self._fill_custom(rows, None, rng)
        return rows

    def mutate(self, rows: Rows, rng: np.random.Generator) -> Rows:
        """A mutant of each row: one node of its DNA is drawn anew with everything below it."""
        if not len(self._nodes):
            raise ValueError("A space without decisions cannot be mutated.")
        if self._only_leaves:
            return self._mutate_leaves(rows, rng)
        if not self._has_custom and len(rows) <= _FEW_ROWS:
            return self._mutate_singly(rows, rng)
        picked = self._pick_nodes(rows, rng)
        columns = np.arange(self._length)
        hit = (columns >= self._node_start[picked][:, None]) & (columns < self._node_end[picked][:, None])
        mutants = np.where(hit, self._sample(len(rows), rng), rows)
        resorted = np.zeros(len(rows), bool)
        for number in np.unique(picked[self._node_constrained[picked]]):
            node = self._nodes[number]
            affected = np.flatnonzero(picked == number)
            self._replace_choice(rows, mutants, affected, node, rng)
            resorted[affected] = True
        return self._finish(mutants, rows, resorted, rng)

    def redraw(self, rows: Rows, rate: float, rng: np.random.Generator) -> Rows:
        """Each row with every active gene drawn anew, from all its candidates, with probability `rate`."""
        mask = rng.random(rows.shape) < rate
        active = self.active(rows)
        mutants = np.where(mask | ~active, self._sample(len(rows), rng), rows)
        for group in self._constrained:
            self._redraw_choices(rows, mutants, mask, active[:, group.start], group, rng)
        return self._finish(mutants, rows, np.ones(len(rows), bool), rng)

    def crossover(self, first: Rows, second: Rows, rng: np.random.Generator) -> Rows:
        """Uniform crossover of pairs of rows, always valid.

        A gene that both parents have comes from either; one that a single parent has comes with the choice
        that needs it. A constrained multi-choice is inherited whole.
        """
        heads = rng.random(first.shape)[:, self._unit] < 0.5
        active = self.active(first)
        from_first = np.where(active & self.active(second), heads, active)
        return self.canonical(np.where(from_first, first, second))

    def _draw(self, columns: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.float64]:
        """Uniform values for these columns: candidate numbers and floats; 0 for custom decisions."""
        values = rng.random(len(columns)) * self._scale[columns]
        if not self._has_floats:
            return np.floor(values)
        floats = np.minimum(self._low[columns] + values, self._high[columns])
        return np.where(self._is_float[columns], floats, np.floor(values))

    def _sample(self, n: int, rng: np.random.Generator) -> Rows:
        """(n, L) values of all genes, active or not; custom ones are left 0."""
        values = rng.random((n, self._length)) * self._scale
        rows = np.floor(values)
        if self._has_floats:
            at = self._is_float
            rows[:, at] = np.minimum(self._low[at] + values[:, at], self._high[at])
        for group in self._constrained:
            indices = group.indices
            chosen = rows[:, indices]
            if group.distinct:
                chosen = np.argsort(rng.random((n, group.cardinality)), axis=1)[:, : len(indices)]
            rows[:, indices] = np.sort(chosen, axis=1) if group.sorted else chosen
        return rows.astype(self.dtype, copy=False)

    def _pick_nodes(self, rows: Rows, rng: np.random.Generator) -> NDArray[np.intp]:
        """One active DNA node of each row, uniformly."""
        u = rng.random(len(rows))
        if not self._levels:
            return (u * len(self._nodes)).astype(np.intp)
        rank = self.active(rows)[:, self._node_start].cumsum(axis=1)
        picked: NDArray[np.intp] = (rank > np.floor(u * rank[:, -1])[:, None]).argmax(axis=1)
        return picked

    def _mutate_leaves(self, rows: Rows, rng: np.random.Generator) -> Rows:
        mutants = rows.copy()
        if len(rows) == 1:
            column, value = self._single_row.mutate_leaf(rng.random)
            mutants[0, column] = value
        else:
            columns = self._node_start[self._pick_nodes(rows, rng)]
            mutants[np.arange(len(rows)), columns] = self._draw(columns, rng)
        return mutants

    def _mutate_singly(self, rows: Rows, rng: np.random.Generator) -> Rows:
        mutants, uniform = rows.copy(), rng.random
        for mutant, genes in zip(mutants, rows.tolist(), strict=True):
            start, end = self._single_row.mutate(genes, uniform)
            mutant[start:end] = genes[start:end]
        return mutants

    def _replace_choice(
        self, rows: Rows, mutants: Rows, affected: NDArray[np.intp], node: Node, rng: np.random.Generator
    ) -> None:
        """Draws one choice of a constrained multi-choice, a distinct one among the candidates left."""
        group = node.constraint
        if group is None:
            return
        weights = rng.random((len(affected), group.cardinality))
        if group.distinct:
            np.put_along_axis(weights, rows[affected][:, group.indices].astype(np.intp), -1.0, axis=1)
        mutants[affected, node.start] = weights.argmax(axis=1)
        full = affected[weights.max(axis=1) < 0]  # a permutation leaves nothing else to choose
        mutants[full, node.start : node.end] = rows[full, node.start : node.end]

    def _redraw_choices(
        self,
        rows: Rows,
        mutants: Rows,
        mask: Mask,
        active: Mask,
        group: MultiChoice,
        rng: np.random.Generator,
    ) -> None:
        """Draws the masked choices of a multi-choice, distinct ones among the candidates left."""
        indices = group.indices
        affected = np.flatnonzero(active)
        old, redrawn = rows[affected][:, indices].astype(np.intp), mask[affected][:, indices]
        if not group.distinct:
            drawn = rng.integers(group.cardinality, size=old.shape)
            mutants[affected[:, None], indices] = np.where(redrawn, drawn, old)
            return
        weights = rng.random((len(affected), group.cardinality))
        row, choice = np.nonzero(~redrawn)
        weights[row, old[row, choice]] = 2.0  # after all free candidates
        free = np.argsort(weights, axis=1)
        nth = np.maximum(redrawn.cumsum(axis=1) - 1, 0)
        mutants[affected[:, None], indices] = np.where(redrawn, np.take_along_axis(free, nth, axis=1), old)

    def _finish(self, mutants: Rows, parents: Rows, resorted: Mask, rng: np.random.Generator) -> Rows:
        """Canonical rows with custom values drawn and sorted multi-choices in order."""
        mutants = self.canonical(mutants)
        if self._has_custom:
            self._fill_custom(mutants, parents, rng)
        for group in self._constrained:
            if group.sorted and resorted.any():
                self._sort(mutants, np.flatnonzero(resorted), group)
        return mutants

    @staticmethod
    def _sort(rows: Rows, affected: NDArray[np.intp], group: MultiChoice) -> None:
        """Puts the choices of a multi-choice in order, each with its sub-spaces."""
        shape = (len(affected), len(group.slots), group.width)
        blocks: NDArray[Any] = rows[affected, group.start : group.end].reshape(shape)
        order = np.argsort(blocks[:, :, 0], axis=1, kind="stable")
        blocks = np.take_along_axis(blocks, order[:, :, None], axis=1)
        rows[affected, group.start : group.end] = blocks.reshape(len(affected), -1)

    def _fill_custom(self, rows: Rows, parents: Rows | None, rng: np.random.Generator) -> None:
        """Draws the active custom genes that are unset, from the former value where there was one."""
        unset = (rows == 0) & self._is_custom & self.active(rows)
        if not unset.any():
            return
        generator = python_random.Random(int(rng.integers(1 << 62)))
        for row, column in np.argwhere(unset).tolist():
            former = 0 if parents is None else parents[row, column]
            previous = pg.DNA(self._custom_values.string(former)) if former else None
            dna = self._slots[column].spec.random_dna(generator, False, previous)
            rows[row, column] = self._custom_values.number(dna.value)
