"""Adam (Kingma and Ba 2015), as steps on one flat vector of weights."""

from __future__ import annotations

import numpy as np

from autoglyph.algorithms.base import FloatArray

_FIRST_DECAY, _SECOND_DECAY, _EPSILON = 0.9, 0.999, 1e-8


class Adam:
    """Moments of the gradients of one weight vector, with the published decays 0.9 and 0.999.

    Args:
        size: how many weights there are.
        learning_rate: largest change of a weight in a step, roughly.
    """

    def __init__(self, size: int, learning_rate: float) -> None:
        self._learning_rate = learning_rate
        self._first: FloatArray = np.zeros(size)
        self._second: FloatArray = np.zeros(size)
        self._steps = 0

    def ascent(self, gradient: FloatArray) -> FloatArray:
        """(size,) what to add to the weights to increase what `gradient` is the gradient of."""
        self._steps += 1
        self._first += (1 - _FIRST_DECAY) * (gradient - self._first)
        self._second += (1 - _SECOND_DECAY) * (gradient**2 - self._second)
        mean = self._first / (1 - _FIRST_DECAY**self._steps)
        square = self._second / (1 - _SECOND_DECAY**self._steps)
        step: FloatArray = self._learning_rate * mean / (np.sqrt(square) + _EPSILON)
        return step
