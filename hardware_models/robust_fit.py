"""Robust non-linear least squares in a box, in NumPy.

Levenberg 1944 and Marquardt 1963 with the weights of the pseudo-Huber loss, so that a few badly measured
networks do not pull the fit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_DIFFERENCE = 1e-5
_SMALLEST_GAIN = 1e-7


class Fit(NamedTuple):
    """A local minimum.

    Attributes:
        x: (parameters,) where it is.
        loss: mean pseudo-Huber loss of the residuals there.
    """

    x: Floats
    loss: float


def fit(
    residuals: Callable[[Floats], Floats],
    start: Floats,
    low: Floats,
    high: Floats,
    *,
    width: float,
    steps: int = 60,
) -> Fit:
    """A local minimum of the loss of residuals.

    Args:
        residuals: (parameters,) -> (observations,).
        start: where to begin.
        low: lower bounds.
        high: upper bounds.
        width: residuals beyond it count with their size, not their square.
        steps: most steps to take.
    """
    x = np.clip(start, low, high)
    r = residuals(x)
    loss, damping = _loss(r, width), 1e-3
    for _ in range(steps):
        jacobian = _jacobian(residuals, x, r, high)
        weights = 1 / np.sqrt(1 + (r / width) ** 2)
        normal = jacobian.T @ (weights[:, None] * jacobian)
        gradient = jacobian.T @ (weights * r)
        free = ~(((x <= low) & (gradient > 0)) | ((x >= high) & (gradient < 0)))
        gained = 0.0
        while free.any() and damping < 1e8:
            damped = normal + damping * np.diag(np.diag(normal) + 1e-9)
            move = np.zeros_like(x)
            move[free] = -np.linalg.solve(damped[np.ix_(free, free)], gradient[free])
            tried = np.clip(x + move, low, high)
            tried_r = residuals(tried)
            tried_loss = _loss(tried_r, width)
            if tried_loss < loss:
                gained = (loss - tried_loss) / max(loss, 1e-300)
                x, r, loss, damping = tried, tried_r, tried_loss, max(damping / 5, 1e-9)
                break
            damping *= 4
        if gained < _SMALLEST_GAIN:
            break
    return Fit(x, loss)


def _loss(r: Floats, width: float) -> float:
    return float(np.mean(width**2 * (np.sqrt(1 + (r / width) ** 2) - 1)))


def _jacobian(residuals: Callable[[Floats], Floats], x: Floats, r: Floats, high: Floats) -> Floats:
    columns = []
    for i in range(len(x)):
        change = _DIFFERENCE if x[i] + _DIFFERENCE <= high[i] else -_DIFFERENCE
        moved = x.copy()
        moved[i] += change
        columns.append((residuals(moved) - r) / change)
    return np.stack(columns, axis=1)
