"""A row of any space as a sequence of tokens: which are made, and what each may be given those before it.

There is one token per column, in PyGlove's depth-first order, so that a choice comes before the decisions that
depend on it. A float is divided into bins of equal width: its token is the bin, and its value is uniform within
the bin, so that the density of a value differs from the probability of its bin by a constant alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from autoglyph.algorithms.base import FloatArray, IntArray
from autoglyph.search_spaces import Genome, Rows
from autoglyph.search_spaces.columns import Layout, MultiChoice

Mask = NDArray[np.bool_]


class DecisionSequence:
    """The tokens of a space.

    Args:
        genome: the compiled space.
        float_bins: bins of each float.

    Attributes:
        length: tokens of a sequence, L.
        counts: (L,) candidates of each token.
        width: the most candidates that a token has, K.

    Raises:
        ValueError: if the space has custom decisions.
    """

    def __init__(self, genome: Genome, float_bins: int) -> None:
        custom = next((column.name for column in genome.columns if column.kind == "custom"), None)
        if custom is not None:
            raise ValueError(
                f"A controller cannot write the custom decision {custom!r}: choose another algorithm, "
                "such as regularized_evolution."
            )
        self._genome = genome
        self.length = genome.length
        self._is_float = np.array([column.kind == "float" for column in genome.columns], bool)
        self.counts: IntArray = np.where(self._is_float, float_bins, genome.cardinalities)
        self.width = int(self.counts.max(initial=1))
        bounds = np.array([column.bounds or (0.0, 0.0) for column in genome.columns], np.float64).reshape(-1, 2)
        self._low, self._range = bounds[:, 0], bounds[:, 1] - bounds[:, 0]
        self._parents = [(column.parent, column.parent_value) for column in genome.columns]
        self._plain: Mask = np.arange(self.width) < self.counts[:, None]
        self._groups: dict[int, tuple[MultiChoice, int]] = {}
        for group in Layout(genome.spec).multi_choices:
            if group.constrained:
                self._groups |= {column: (group, place) for place, column in enumerate(group.indices)}

    def made(self, at: int, tokens: IntArray, made: Mask) -> Mask:
        """(n,) whether the decision of column `at` is made, given the tokens before it and which of them are."""
        parent, value = self._parents[at]
        if parent < 0:
            return np.ones(len(tokens), bool)
        needed: Mask = made[:, parent] & (tokens[:, parent] == value)
        return needed

    def legal(self, at: int, tokens: IntArray) -> Mask:
        """(n, K) candidates that column `at` may take, given the tokens before it.

        A distinct choice leaves out what its multi-choice has taken, a sorted one what is before the last
        choice, and a distinct and sorted one also what would leave too few for the choices to come.
        """
        if at not in self._groups:
            return np.broadcast_to(self._plain[at], (len(tokens), self.width))
        legal = np.repeat(self._plain[at][None], len(tokens), axis=0)
        group, place = self._groups[at]
        before = tokens[:, group.indices[:place]]
        if group.distinct and place:
            np.put_along_axis(legal, before, False, axis=1)
        if group.sorted and place:
            legal &= np.arange(self.width) >= before[:, -1:]
        if group.sorted and group.distinct:
            legal[:, group.cardinality - (len(group.slots) - 1 - place) :] = False
        return legal

    def of(self, rows: Rows) -> tuple[IntArray, Mask]:
        """(n, L) tokens of canonical rows, 0 where no decision is made, and which decisions are made."""
        made = self._genome.active(rows)
        values = np.asarray(rows, np.float64)
        at = self._is_float
        if at.any():
            scale = np.divide(self.counts, self._range, out=np.zeros(self.length), where=self._range > 0)
            bins = np.clip(np.floor((values - self._low) * scale), 0, self.counts - 1)
            values = np.where(at, bins, values)
        tokens: IntArray = np.where(made, values, 0).astype(np.int64)
        return tokens, made

    def rows(self, tokens: IntArray, rng: np.random.Generator) -> Rows:
        """(n, L) canonical rows of tokens, floats drawn within their bins."""
        values: FloatArray = tokens.astype(np.float64)
        at = self._is_float
        if at.any():
            inside = (values[:, at] + rng.random((len(tokens), int(at.sum())))) / self.counts[at]
            values[:, at] = np.minimum(self._low[at] + inside * self._range[at], self._low[at] + self._range[at])
        return self._genome.canonical(values.astype(self._genome.dtype))
