"""Climbing a quadratic function over individuals, with any kind of decision."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from autoglyph.algorithms.base import IntArray
from autoglyph.algorithms.quadratic_model import Float32Array, OneHot, Quadratic
from autoglyph.search_spaces import Genome, Rows

_MUTANTS = 24
_WORSE = np.float32(-1e9)


class Climber:
    """Moves individuals uphill on a quadratic, one decision at a time.

    Where all decisions are independent choices, each step takes the best of all single changes; elsewhere
    (conditional, distinct or float decisions) the best of a few mutants of the genome.

    Args:
        genome: the compiled space.
        one_hot: its vectors.
    """

    def __init__(self, genome: Genome, one_hot: OneHot) -> None:
        self._genome = genome
        self._one_hot = one_hot

    def climb(
        self,
        rows: Rows,
        quadratic: Quadratic,
        steps: int,
        rng: np.random.Generator,
        *,
        frozen: NDArray[np.bool_] | None = None,
    ) -> Rows:
        """Rows after at most so many uphill steps each.

        Args:
            rows: (n, L) canonical rows.
            quadratic: what to climb.
            steps: most steps.
            rng: source of randomness, for mutants.
            frozen: (n, L) genes that must stay; followed where all decisions are independent.
        """
        if not self._genome.independent:
            return self._climb_mutants(rows, quadratic, steps, rng)
        places = self._one_hot.places(rows)
        slopes = self._slopes(rows, quadratic)
        live = np.arange(len(rows))
        closed = None if frozen is None else frozen[:, self._one_hot.column_of_place]
        for _ in range(steps):
            gains = slopes[live] - np.take_along_axis(slopes[live], places[live], 1)[:, self._one_hot.column_of_place]
            if closed is not None:
                gains[closed[live]] = _WORSE
            best = gains.argmax(axis=1)
            uphill = gains[np.arange(len(live)), best] > 1e-6
            live, best = live[uphill], best[uphill]
            if len(live) == 0:
                break
            columns = self._one_hot.column_of_place[best]
            slopes[live] += quadratic.pairs[best] - quadratic.pairs[places[live, columns]]
            places[live, columns] = best
        return (places - self._one_hot.offsets).astype(rows.dtype)

    def gains(self, row: Rows, quadratic: Quadratic) -> Float32Array:
        """(length,) predicted gain of every single change of one row; only where decisions are independent."""
        now: IntArray = row.astype(np.int64) + self._one_hot.offsets
        slopes = quadratic.linear + quadratic.pairs[now].sum(axis=0)
        gains: Float32Array = slopes - slopes[now][self._one_hot.column_of_place]
        gains[now] = _WORSE
        return gains

    def changed(self, row: Rows, places: IntArray) -> Rows:
        """(len(places), L) copies of a row, each with the gene that a place belongs to set to it."""
        columns = self._one_hot.column_of_place[places]
        copies = np.repeat(row[None], len(places), axis=0)
        copies[np.arange(len(places)), columns] = places - self._one_hot.offsets[columns]
        return copies

    def _slopes(self, rows: Rows, quadratic: Quadratic) -> Float32Array:
        return self._one_hot.vectors(rows) @ quadratic.pairs + quadratic.linear

    def _climb_mutants(self, rows: Rows, quadratic: Quadratic, steps: int, rng: np.random.Generator) -> Rows:
        rows = rows.copy()
        values = quadratic.values(self._one_hot.vectors(rows))
        for _ in range(steps):
            mutants = self._genome.mutate(np.repeat(rows, _MUTANTS, axis=0), rng)
            scores = quadratic.values(self._one_hot.vectors(mutants)).reshape(len(rows), _MUTANTS)
            best = scores.argmax(axis=1)
            top = scores[np.arange(len(rows)), best]
            better = top > values + 1e-6
            rows[better] = mutants.reshape(len(rows), _MUTANTS, -1)[better, best[better]]
            values = np.where(better, top, values)
        return rows
