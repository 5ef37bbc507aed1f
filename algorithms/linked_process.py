"""A Gaussian process of main effects and of the effects of linked pairs, and samples of it as functions.

The prior gives every candidate of every decision an effect of its own and every pair of candidates of two
linked decisions one of theirs, all independent and normal. Samples of the posterior are drawn by pathwise
conditioning (Wilson et al. 2020): a sample of the prior is corrected by what was measured. With E links an
individual has only L + E effects, so a sample costs much less than one over all pairs.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from autoglyph.algorithms.base import FloatArray, IntArray
from autoglyph.algorithms.growing_cholesky import GrowingCholesky

Float32Array = npt.NDArray[np.float32]

_MAIN_SHARE = 0.4
_CONSTANT = 0.1
_NOISE = 1e-3
_SMALLEST_SPREAD = 1e-3
_LEVEL = np.float32(1e-6)


class Samples(NamedTuple):
    """S functions of the places of an individual's candidates.

    Attributes:
        single: (S, D) effect of each candidate.
        double: (S, D, D) effect of two candidates together, symmetric, 0 within a decision.
        decision_of_place: (D,) decision that each place belongs to.
    """

    single: Float32Array
    double: Float32Array
    decision_of_place: IntArray

    def climb(self, places: IntArray, steps: int) -> IntArray:
        """(S, n, L) places after at most so many of the best single changes.

        Args:
            places: (S, n, L) where the n individuals start that climb each function.
            steps: most changes of each.
        """
        functions, count, decisions = places.shape
        candidates = len(self.decision_of_place)
        vectors = np.zeros((functions, count, candidates), np.float32)
        np.put_along_axis(vectors, places, 1.0, axis=2)
        slopes = (vectors @ self.double + self.single[:, None]).reshape(-1, candidates)
        effects = self.double.reshape(-1, candidates)
        function = np.repeat(np.arange(functions) * candidates, count)
        climbed = places.reshape(-1, decisions).copy()
        live, every = np.arange(len(climbed)), np.arange(len(climbed))
        now = climbed.copy()
        for _ in range(steps):
            here = every[: len(live)]
            heights = slopes[here[:, None], now]
            gains = slopes - heights.take(self.decision_of_place, axis=1)
            best = gains.argmax(axis=1)
            uphill = gains[here, best] > _LEVEL
            if not uphill.all():
                climbed[live] = now
                live, best, slopes, now = live[uphill], best[uphill], slopes[uphill], now[uphill]
                if len(live) == 0:
                    break
                here, function = every[: len(live)], function[uphill]
            decision = self.decision_of_place[best]
            slopes += effects.take(function + best, axis=0)
            slopes -= effects.take(function + now[here, decision], axis=0)
            now[here, decision] = best
        climbed[live] = now
        return climbed.reshape(places.shape)


class LinkedProcess:
    """The process at the individuals added to it.

    A candidate is known by its place: decision i has the places from `offsets[i]` on, one a candidate.

    Args:
        sizes: (L,) candidates of each decision, D in all.
        links: (E, 2) pairs of linked decisions.
        capacity: most individuals.
    """

    def __init__(self, sizes: IntArray, links: IntArray, capacity: int) -> None:
        self._offsets: IntArray = np.cumsum(sizes) - sizes
        self._candidates = int(sizes.sum())
        self._decision_of_place = np.repeat(np.arange(len(sizes)), sizes)
        self._links = links
        self._radix = sizes[links[:, 1]]
        pair_sizes = sizes[links[:, 0]] * self._radix
        ends = self._candidates + np.cumsum(pair_sizes)
        self._bases = np.concatenate([self._offsets, ends - pair_sizes])
        self._effects = self._candidates + int(pair_sizes.sum())
        main_share = _MAIN_SHARE if len(links) else 1.0
        self._main_variance = main_share / len(sizes)
        self._pair_variance = (1 - main_share) / max(1, len(links))
        self._variance = np.full(self._effects, self._pair_variance, np.float32)
        self._variance[: self._candidates] = self._main_variance
        self._first_place, self._second_place = self._places_of_pairs(sizes)
        most_codes = int(max(sizes.max(), pair_sizes.max(initial=0)))
        self._codes = np.zeros((len(self._bases), capacity), np.min_scalar_type(most_codes))
        self._features = np.zeros((capacity, len(self._bases)), np.int32)
        self._factor = GrowingCholesky(capacity)
        self.capacity = capacity

    def __len__(self) -> int:
        return len(self._factor)

    def add(self, decisions: IntArray) -> None:
        """Adds (n, L) individuals, none of them equal to one that is there already."""
        start, stop = len(self), len(self) + len(decisions)
        first, second = self._links.T
        codes = np.concatenate([decisions, decisions[:, first] * self._radix + decisions[:, second]], axis=1)
        self._codes[:, start:stop] = codes.T
        self._features[start:stop] = codes + self._bases
        covariance = self._covariance(start, stop)
        covariance[:, start:][np.diag_indices(stop - start)] += _NOISE
        self._factor.append(covariance)

    def forget(self) -> None:
        """Removes all individuals."""
        self._factor = GrowingCholesky(self.capacity)

    def samples(self, targets: FloatArray, rng: np.random.Generator) -> Samples:
        """One posterior sample for each of S sets of measured values.

        Args:
            targets: (n, S) what was measured at the individuals added, in their order.
            rng: source of randomness.
        """
        count = targets.shape[1]
        has_effect = self._effects_of_individuals()
        centred = targets - targets.mean(axis=0)
        scale = np.maximum(centred.std(axis=0), 1e-12)
        prior = rng.standard_normal((self._effects, count), dtype=np.float32)
        prior *= np.sqrt(self._variance)[:, None]
        noise = np.sqrt(_CONSTANT) * rng.standard_normal(count)
        noise = noise + np.sqrt(_NOISE) * rng.standard_normal(targets.shape)
        at_measured = has_effect @ prior + noise
        right = np.concatenate([centred / scale, at_measured], axis=1)
        whitened = self._factor.forward(right.astype(np.float32))
        spread = np.sqrt(np.maximum((whitened[:, :count] ** 2).mean(axis=0), _SMALLEST_SPREAD))
        weights = self._factor.backward(whitened[:, :count] - spread * whitened[:, count:])
        explained = has_effect.T @ weights
        effects = prior * spread + explained * self._variance[:, None]
        return self._functions(effects.T)

    def _effects_of_individuals(self) -> Any:
        """(n, effects) sparse matrix of ones where an individual has an effect."""
        from scipy.sparse import csr_matrix

        features = self._features[: len(self)]
        row_ends = np.arange(0, features.size + 1, features.shape[1], dtype=np.int32)
        ones = np.ones(features.size, np.float32)
        return csr_matrix((ones, features.ravel(), row_ends), shape=(len(self), self._effects))

    def _covariance(self, start: int, stop: int) -> Float32Array:
        """(stop - start, stop) prior covariance of some individuals with all before and themselves."""
        decisions = len(self._offsets)
        shared = np.zeros((2, stop - start, stop), np.min_scalar_type(len(self._codes)))
        equal = np.empty(shared.shape[1:], bool)
        for row, codes in enumerate(self._codes):
            np.equal(codes[start:stop, None], codes[:stop], out=equal)
            shared[int(row >= decisions)] += equal
        main, pair = np.float32(self._main_variance), np.float32(self._pair_variance)
        covariance: Float32Array = main * shared[0] + pair * shared[1] + np.float32(_CONSTANT)
        return covariance

    def _functions(self, effects: Float32Array) -> Samples:
        places = self._candidates
        double = np.zeros((len(effects), places, places), np.float32)
        double[:, self._first_place, self._second_place] = effects[:, places:]
        double[:, self._second_place, self._first_place] = effects[:, places:]
        return Samples(effects[:, :places], double, self._decision_of_place)

    def _places_of_pairs(self, sizes: IntArray) -> tuple[IntArray, IntArray]:
        first, second = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for i, j in self._links.tolist():
            grid = np.indices((int(sizes[i]), int(sizes[j]))).reshape(2, -1)
            first.append(self._offsets[i] + grid[0])
            second.append(self._offsets[j] + grid[1])
        return np.concatenate(first), np.concatenate(second)
