"""Tables of segments: what is known of a segment, by its genes and the shape of its input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.search_spaces.genome import Genome, Rows
from autoglyph.search_spaces.net import Shapes

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

DENSE_ENTRIES = 1 << 22
ENTRIES_KEPT = 1 << 20
EXACT_CODES = 1 << 53


class SegmentTable:
    """Sums over the kernels of a segment for every (genes, input shape) met so far.

    The genes that the segment depends on are numbered by mixed radix: one number, the code, for all of
    them. Where codes are too many for that, or a gene is a float, they are numbered as they come.

    Args:
        genome: the space.
        columns: columns of the genes that determine the segment's parts.
        sums: how many sums are kept.

    Attributes:
        weights: (L,) what to multiply a row with to get the code; None if codes are numbered as they come.
        sums: (entries, sums) sums over kernels.
        most: (entries,) the largest figure of a kernel.
        output: (entries,) number of the output shape.
        output_shapes: output shapes met so far, by number.
    """

    def __init__(self, genome: Genome, columns: NDArray[np.intp], sums: int) -> None:
        self._columns = columns
        cardinalities = [int(cardinality) for cardinality in genome.cardinalities[columns]]
        self._codes = math.prod(cardinalities)
        self.weights: Floats | None = None
        if self._codes and self._codes < EXACT_CODES:
            self.weights = np.zeros(genome.length)
            self.weights[columns] = np.cumprod([1, *cardinalities[:-1]])[: len(columns)]
        else:
            self._codes = 1 << 40
        self._width = sums
        self._code_of: dict[bytes, int] = {}
        self.output_shapes: list[Shapes] = []
        self._number_of: dict[Shapes, int] = {}
        self._forget()

    def _forget(self) -> None:
        is_dense = self._codes <= DENSE_ENTRIES
        self._dense: NDArray[np.int32] | None = np.full(self._codes, -1, np.int32) if is_dense else None
        self._keys: Integers = np.zeros(0, np.int64)
        self._entries: Integers = np.zeros(0, np.int64)
        self._count = 0
        self.sums: Floats = np.zeros((0, self._width))
        self.most: Floats = np.zeros(0)
        self.output: Integers = np.zeros(0, np.int64)

    def make_room(self) -> None:
        """Forgets all entries if there are too many to keep."""
        if self._count > ENTRIES_KEPT:
            self._forget()

    @property
    def is_constant(self) -> bool:
        """Whether no gene matters."""
        return self._columns.size == 0

    def numbered_codes(self, rows: Rows) -> Integers:
        """(n,) codes of rows where codes are numbered as they come."""
        parts = np.ascontiguousarray(rows[:, self._columns])
        raw = parts.view(np.dtype((np.void, parts.dtype.itemsize * parts.shape[1]))).ravel()
        unique, inverse = np.unique(raw, return_inverse=True)
        codes = [self._code_of.setdefault(value.tobytes(), len(self._code_of)) for value in unique]
        return np.array(codes, np.int64)[inverse]

    def keys(self, codes: Integers, inputs: Integers | None) -> Integers:
        """(n,) one number for codes and numbers of input shapes together; None if there is one shape."""
        return codes if inputs is None else codes + inputs * self._codes

    def number(self, shape: Shapes) -> int:
        """The number of an output shape, or of the shapes of several outputs."""
        number = self._number_of.setdefault(shape, len(self.output_shapes))
        if number == len(self.output_shapes):
            self.output_shapes.append(shape)
        return number

    def find(self, keys: Integers) -> NDArray[Any]:
        """(n,) entries of these keys, -1 where there is none."""
        if self._dense is not None:
            if len(self._dense) <= int(keys.max()):
                return self._find_beyond_dense(keys)
            return self._dense.take(keys)
        if not len(self._keys):
            return np.full(len(keys), -1)
        at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return np.where(self._keys[at] == keys, self._entries[at], -1)

    def _find_beyond_dense(self, keys: Integers) -> NDArray[Any]:
        assert self._dense is not None
        inside = keys < len(self._dense)
        found = np.full(len(keys), -1)
        found[inside] = self._dense.take(keys[inside])
        return found

    def add(self, keys: Integers, sums: Floats, most: Floats, output: Integers) -> None:
        """Adds entries; the keys must be new and different.

        Args:
            keys: (new,) as `keys` gives them.
            sums: (new, sums) sums over kernels.
            most: (new,) the largest figure of a kernel.
            output: (new,) numbers of the output shapes.
        """
        first, count = self._count, self._count + len(keys)
        self.sums, self.most, self.output = (_grown(each, count) for each in (self.sums, self.most, self.output))
        self.sums[first:count], self.most[first:count], self.output[first:count] = sums, most, output
        self._count = count
        self._index(keys, np.arange(first, count))

    def _index(self, keys: Integers, entries: Integers) -> None:
        if self._dense is not None:
            size = (int(keys.max()) // self._codes + 1) * self._codes
            if size <= DENSE_ENTRIES:
                if size > len(self._dense):
                    self._dense = np.append(self._dense, np.full(size - len(self._dense), -1, np.int32))
                self._dense[keys] = entries
                return
            self._keys = np.flatnonzero(self._dense >= 0)
            self._entries = self._dense[self._keys].astype(np.int64)
            self._dense = None
        order = np.argsort(keys)
        keys, entries = keys[order], entries[order]
        at = np.searchsorted(self._keys, keys)
        self._keys = np.insert(self._keys, at, keys)
        self._entries = np.insert(self._entries, at, entries)


def _grown(array: Any, count: int) -> Any:
    if count <= len(array):
        return array
    grown = np.zeros((max(count, 2 * len(array), 64), *array.shape[1:]), array.dtype)
    grown[: len(array)] = array
    return grown
