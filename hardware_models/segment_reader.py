"""Reads the segments of a population, each combination of genes and input shape once."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pyglove as pg
from numpy.typing import NDArray

from autoglyph.hardware_models.fusion import Fusion, Placed
from autoglyph.hardware_models.recorder import BlockKey, ReadBlock, read_segment
from autoglyph.hardware_models.segment_table import Floats, Integers, SegmentTable
from autoglyph.search_spaces.architecture import Segment
from autoglyph.search_spaces.genome import Genome, Rows
from autoglyph.search_spaces.net import Shapes

BLOCKS_KEPT = 1 << 18

Totals = Callable[[Sequence[Sequence[Placed]]], tuple[Floats, Floats]]
Path = tuple[Any, ...]


class SegmentReader:
    """The tables of a space's segments.

    Args:
        genome: of a space whose individuals are architectures, or have one.
        fusion: fusion regime.
        sums: how many sums a table keeps of a segment.
        totals: what to keep of segments that were read: kernels of each -> (readings, sums) sums and
            (readings,) largest figures.
        architecture: field of the individuals that is their architecture, "" where they are architectures.
    """

    def __init__(self, genome: Genome, fusion: Fusion, sums: int, totals: Totals, architecture: str = "") -> None:
        self._genome, self._totals = genome, totals
        self._fusion: Fusion = fusion
        self._owner: Path = tuple(pg.KeyPath.parse(architecture).keys)
        first = genome.decode(genome.random(1, np.random.default_rng(0))[0])
        segments = _value_at(self._owner, {(): first}).segments()
        self._part_keys = [[tuple(pg.KeyPath.parse(p).keys) for p in segment.parts] for segment in segments]
        prefix = f"{architecture}." if architecture else ""
        self._tables = [self._table(segment, prefix, sums) for segment in segments]
        weights = [table.weights for table in self._tables]
        self._weights = np.stack([np.zeros(genome.length) if w is None else w for w in weights], axis=1)
        self._blocks: dict[BlockKey, ReadBlock] = {}

    def _table(self, segment: Segment, prefix: str, sums: int) -> SegmentTable:
        under = [self._genome.columns_under(prefix + path) for path in segment.parts]
        columns = np.unique(np.concatenate(under)) if under else np.zeros(0, np.intp)
        return SegmentTable(self._genome, columns, sums)

    def make_room(self) -> bool:
        """Forgets what is too much to keep; returns whether blocks, and with them pieces, were forgotten."""
        for table in self._tables:
            table.make_room()
        if len(self._blocks) <= BLOCKS_KEPT:
            return False
        self._blocks.clear()
        return True

    def entries(self, rows: Rows) -> Iterator[tuple[SegmentTable, NDArray[Any]]]:
        """The table of each segment, in the order they run, and the entries of rows in it.

        Args:
            rows: (n, L) canonical rows.

        Yields:
            The table, and (n,) entries; (1,) where all rows have the same one.
        """
        codes = (rows @ self._weights).astype(np.int64).T
        individuals = _Individuals(self._genome, rows, self._owner)
        inputs: Integers | None = None
        for j, table in enumerate(self._tables):
            code = np.ascontiguousarray(codes[j]) if table.weights is not None else table.numbered_codes(rows)
            if table.is_constant and inputs is None:
                code = code[:1]
            keys = table.keys(code, inputs)
            entries = table.find(keys)
            if entries.min() < 0:
                with _collector_paused():
                    self._learn(j, keys, inputs, entries < 0, individuals)
                entries = table.find(keys)
            yield table, entries
            inputs = table.output.take(entries) if len(table.output_shapes) > 1 else None

    def _learn(
        self,
        j: int,
        keys: Integers,
        inputs: Integers | None,
        missing: NDArray[np.bool_],
        individuals: _Individuals,
    ) -> None:
        """Reads segment j once for each key that is missing, and tabulates it."""
        new_keys, at = np.unique(keys[missing], return_index=True)
        representatives = np.flatnonzero(missing)[at]
        shapes: list[Shapes | None] = [None]
        if j:
            shapes = [*self._tables[j - 1].output_shapes]
        readings: list[list[Placed]] = []
        outputs: list[int] = []
        for i in representatives.tolist():
            segment, parts = individuals.segment(i, j, self._part_keys[j])
            shape = shapes[0 if inputs is None else int(inputs[i])]
            reading = read_segment(segment, parts, shape, self._fusion, self._blocks)
            readings.append(reading.pieces)
            outputs.append(self._tables[j].number(reading.output))
        sums, most = self._totals(readings)
        self._tables[j].add(new_keys, sums, most, np.array(outputs, np.int64))


@contextlib.contextmanager
def _collector_paused() -> Iterator[None]:
    """Reading makes many objects and little garbage; searching for it took a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Individuals:
    """The architectures of some rows, decoded when asked for."""

    def __init__(self, genome: Genome, rows: Rows, owner: Path) -> None:
        self._genome, self._rows, self._owner = genome, rows, owner
        self._decoded: dict[int, tuple[Sequence[Segment], dict[Path, Any]]] = {}

    def segment(self, i: int, j: int, part_keys: Sequence[Path]) -> tuple[Segment, list[Any]]:
        """Segment j of row i and the values of its parts."""
        if i not in self._decoded:
            architecture = _value_at(self._owner, {(): self._genome.decode(self._rows[i])})
            self._decoded[i] = (architecture.segments(), {(): architecture})
        segments, values = self._decoded[i]
        return segments[j], [_value_at(keys, values) for keys in part_keys]


def _value_at(keys: Path, values: dict[Path, Any]) -> Any:
    """The value at a symbolic path; `values` has those on the way, so that none is read twice."""
    if keys not in values:
        values[keys] = _value_at(keys[:-1], values).sym_getattr(keys[-1])
    return values[keys]
