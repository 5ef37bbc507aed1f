"""Sequences of different lengths without padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class RaggedArray:
    """Rows of token ids laid end to end.

    Args:
        values: (tokens,) int32, all rows one after another.
        offsets: (rows + 1,) int64; row i is `values[offsets[i]:offsets[i + 1]]`.
    """

    values: NDArray[np.int32]
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> RaggedArray:
        """The ragged array of these rows."""
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(row) for row in rows], out=offsets[1:])
        return cls(np.fromiter((i for row in rows for i in row), np.int32, int(offsets[-1])), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> NDArray[np.int32]:
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(rows,) tokens of each row."""
        return np.diff(self.offsets)


@dataclass(frozen=True)
class SequencePairs:
    """One part of a data set: token ids without begin, end and padding, and the text they come from.

    Args:
        source: token ids of the inputs.
        target: token ids of the answers, as many rows.
        source_texts: the inputs as text.
        references: the answers as text, never shortened: what BLEU compares with.
    """

    source: RaggedArray
    target: RaggedArray
    source_texts: tuple[str, ...]
    references: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.source)
