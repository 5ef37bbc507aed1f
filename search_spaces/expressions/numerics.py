"""Elementary functions that operations are written in, and what NumPy makes of them.

Numerics, the same in every back-end: IEEE arithmetic of the given precision. The square root of a negative number
and a fractional power of one are NaN, overflow is infinite, neither is hidden: a program that meets them is
non-finite, and the fingerprint says so. Division and logarithm add `EPSILON`, so that they are finite at 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

EPSILON = 1e-8
"""Added to divisors and under logarithms (the papers write epsilon or delta, without its value)."""


class Drop(Protocol):
    """Drops entries of an array: (array, rate of entries dropped, scaled by 1 / (1 - rate) where kept) -> array."""

    def __call__(self, x: Any, rate: float) -> Any:
        """The array with some entries 0."""


@dataclass(frozen=True)
class Context:
    """What operations read beside their arguments.

    Attributes:
        beta: trainable scalar or per-channel vector of activation functions, broadcast against the input.
        drop: how entries are dropped; None leaves all, the expected value.
    """

    beta: Any = 1.0
    drop: Drop | None = None


_erf = np.frompyfunc(math.erf, 1, 1)


class NumpyBackend:
    """Elementary functions on NumPy arrays, in the precision of the arrays."""

    exp, log, sqrt, abs, sign = np.exp, np.log, np.sqrt, np.abs, np.sign
    sin, cos, sinh, cosh, tanh, asinh, atan = np.sin, np.cos, np.sinh, np.cosh, np.tanh, np.arcsinh, np.arctan
    maximum, minimum, where, power = np.maximum, np.minimum, np.where, np.power
    zeros_like, ones_like, matmul = np.zeros_like, np.ones_like, np.matmul

    @staticmethod
    def relu(x: Any) -> Any:
        """max(x, 0) with slope 0 at 0."""
        return np.maximum(x, 0)

    @staticmethod
    def sigmoid(x: Any) -> Any:
        """1 / (1 + e^-x) without overflow."""
        small = np.exp(-np.abs(x))
        return np.where(x >= 0, 1 / (1 + small), small / (1 + small))

    @staticmethod
    def softplus(x: Any) -> Any:
        """log(1 + e^x) without overflow."""
        return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))

    @staticmethod
    def erf(x: Any) -> Any:
        """The error function."""
        return np.asarray(_erf(x), np.asarray(x).dtype)

    @staticmethod
    def cast(condition: Any, like: Any) -> Any:
        """A truth value as 0 or 1 in the precision of `like`."""
        return np.asarray(condition, np.asarray(like).dtype)

    @staticmethod
    def transpose(x: Any) -> Any:
        """Rows and columns of a matrix exchanged."""
        return np.swapaxes(x, -1, -2)

    @staticmethod
    def total(x: Any, axis: int | None) -> Any:
        """The sum over an axis, or over all, which stay as size 1."""
        return np.sum(x, axis=axis, keepdims=True)

    @staticmethod
    def largest(x: Any, axis: int | None) -> Any:
        """The largest over an axis, or over all, which stay as size 1."""
        return np.max(x, axis=axis, keepdims=True)
