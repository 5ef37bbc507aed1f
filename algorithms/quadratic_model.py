"""A Gaussian process of main and pairwise effects, and samples of it as quadratic functions.

The prior gives every decision an effect of its own and every pair of decisions one of theirs, all
independent and normal. Covariance of two individuals then depends only on how many decisions they share, and
a posterior sample is itself a quadratic function of the one-hot decisions, which is what makes it cheap to
climb (second-order models: Baptista and Poloczek 2018; samples by pathwise conditioning: Wilson et al. 2020).
"""

from __future__ import annotations

import copy
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from autoglyph.algorithms.base import FloatArray, IntArray
from autoglyph.search_spaces import Genome, Rows

FLOAT_BINS = 8
_MAIN_SHARE = 0.4
_NOISE = 1e-3

Float32Array = NDArray[np.float32]


class OneHot:
    """Rows as vectors of zeros and ones: one place for every candidate of every decision that is made.

    Args:
        genome: the compiled space; floats are cut into bins of equal width.

    Raises:
        ValueError: if a decision is custom, because its values cannot be listed.
    """

    def __init__(self, genome: Genome) -> None:
        sizes = []
        for column in genome.columns:
            if column.kind == "custom":
                raise ValueError(
                    f"The decision {column.name} is custom and has no list of values to model: "
                    "choose regularized_evolution."
                )
            sizes.append(FLOAT_BINS if column.kind == "float" else len(column.candidates))
        self._genome = genome
        self._bounds = [c.bounds if c.kind == "float" else None for c in genome.columns]
        self.sizes: IntArray = np.array(sizes, np.int64)
        self.offsets: IntArray = np.concatenate([[0], np.cumsum(self.sizes)[:-1]]).astype(np.int64)
        self.column_of_place: IntArray = np.repeat(np.arange(len(sizes)), self.sizes)
        self.length = int(self.sizes.sum())

    def places(self, rows: Rows) -> IntArray:
        """(n, L) place of each gene, whether it is active or not."""
        values = np.array(rows, np.float64)
        for column, bounds in enumerate(self._bounds):
            if bounds is not None:
                low, high = bounds
                values[:, column] = np.clip(
                    (rows[:, column] - low) / (high - low or 1.0) * FLOAT_BINS, 0, FLOAT_BINS - 1
                )
        return values.astype(np.int64) + self.offsets

    def vectors(self, rows: Rows) -> Float32Array:
        """(n, length) zeros and ones."""
        vectors = np.zeros((len(rows), self.length), np.float32)
        np.put_along_axis(vectors, self.places(rows), self._genome.active(rows).astype(np.float32), axis=1)
        return vectors


class Quadratic(NamedTuple):
    """linear . v + v . pairs . v / 2 of a one-hot vector v, up to a constant.

    Attributes:
        linear: (length,).
        pairs: (length, length), symmetric, 0 between candidates of one decision.
    """

    linear: Float32Array
    pairs: Float32Array

    def values(self, vectors: Float32Array) -> Float32Array:
        """(n,) values."""
        squares = np.einsum("ij,ij->i", vectors @ self.pairs, vectors)
        values: Float32Array = vectors @ self.linear + np.float32(0.5) * squares
        return values


class PairwiseProcess:
    """The process at measured individuals; `with_values` conditions it on what was measured.

    Args:
        one_hot: how rows become vectors.
        vectors: (n, length) measured individuals.
    """

    def __init__(self, one_hot: OneHot, vectors: Float32Array) -> None:
        decisions = len(one_hot.sizes)
        self._main = _MAIN_SHARE / decisions
        self._pair = (1 - _MAIN_SHARE) / max(1.0, decisions * (decisions - 1) / 2)
        column = one_hot.column_of_place
        self._between = (column[:, None] != column[None, :]).astype(np.float32)
        self._vectors = vectors
        shared = vectors @ vectors.T
        covariance = (self._main * shared + self._pair * shared * (shared - 1) / 2 + 1.0).astype(np.float64)
        covariance[np.diag_indices(len(covariance))] += _NOISE
        self._precision = np.linalg.inv(covariance)
        self._targets: FloatArray = np.zeros(len(vectors))
        self._scale = 1.0

    def with_values(self, values: FloatArray) -> PairwiseProcess:
        """The same individuals with these values, for the price of a product.

        Args:
            values: (n,) measured values; the process works with them standardised.
        """
        other = copy.copy(self)
        spread = float(values.std()) or 1.0
        other._targets = (values - values.mean()) / spread
        variance = float(other._targets @ self._precision @ other._targets) / len(values)
        other._scale = max(variance, 1e-6) ** 0.5
        return other

    def mean(self) -> Quadratic:
        """The posterior mean."""
        return self._explaining(self._targets)

    def sample(self, rng: np.random.Generator, *, temperature: float = 1.0) -> Quadratic:
        """A function drawn from the posterior.

        Args:
            rng: source of randomness.
            temperature: factor on the prior's spread; below 1 the samples lie nearer the mean.
        """
        length = self._between.shape[0]
        scale = np.float32(self._scale * temperature)
        linear = rng.standard_normal(length, dtype=np.float32) * np.float32(np.sqrt(self._main)) * scale
        half = rng.standard_normal((length, length), dtype=np.float32) * np.float32(np.sqrt(self._pair / 2)) * scale
        prior = Quadratic(linear, (half + half.T) * self._between)
        offset = rng.standard_normal() * scale
        update = self._explaining(self._targets - prior.values(self._vectors) - offset)
        return Quadratic(prior.linear + update.linear, prior.pairs + update.pairs)

    def _explaining(self, residual: FloatArray) -> Quadratic:
        weights = (self._precision @ residual).astype(np.float32)
        pairs = (self._vectors.T * (weights * np.float32(self._pair))) @ self._vectors
        return Quadratic(np.float32(self._main) * (weights @ self._vectors), pairs * self._between)
