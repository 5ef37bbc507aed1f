"""The Cholesky factor of a matrix that grows by rows and columns, in blocks so that NumPy alone is fast.

It is kept in single precision, which is enough where the diagonal carries noise of a thousandth or more.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]

_BLOCK = 64


class GrowingCholesky:
    """The lower factor L of a positive definite matrix, L L^T.

    Args:
        capacity: most rows.
    """

    def __init__(self, capacity: int) -> None:
        self._factor = np.zeros((capacity, capacity), np.float32)
        self._inverses: list[Float32Array] = []
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def append(self, rows: Float32Array) -> None:
        """Adds rows and columns at the end.

        Args:
            rows: (b, n + b) new rows of the matrix, whose old part has n.
        """
        start, stop = self._length, self._length + len(rows)
        below = self.forward(rows[:, :start].T).T
        corner = np.linalg.cholesky(rows[:, start:].astype(np.float64) - below @ below.T)
        self._factor[start:stop, :start] = below
        self._factor[start:stop, start:stop] = corner
        self._length = stop
        del self._inverses[start // _BLOCK :]
        for low in range(start - start % _BLOCK, stop, _BLOCK):
            high = min(low + _BLOCK, stop)
            self._inverses.append(np.linalg.inv(self._factor[low:high, low:high]))

    def forward(self, right: Float32Array) -> Float32Array:
        """(n, c) solution X of L X = right."""
        solution = np.empty(right.shape, np.float32)
        for block, inverse in enumerate(self._inverses):
            low = block * _BLOCK
            high = low + len(inverse)
            solution[low:high] = inverse @ (right[low:high] - self._factor[low:high, :low] @ solution[:low])
        return solution

    def backward(self, right: Float32Array) -> Float32Array:
        """(n, c) solution X of L^T X = right."""
        solution = np.empty(right.shape, np.float32)
        for block in range(len(self._inverses) - 1, -1, -1):
            inverse = self._inverses[block]
            low = block * _BLOCK
            high = low + len(inverse)
            above = self._factor[high : self._length, low:high].T @ solution[high:]
            solution[low:high] = inverse.T @ (right[low:high] - above)
        return solution
