"""Costs of whole populations: a gather and a sum from tables of segments.

A segment depends on its symbolic parts and the shape of its input alone, so it is read once, from one row
that has it, and its sums over kernels are kept. Shapes are the states of a machine that runs along the
segments: the state at a segment's output follows from its entry in the table.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autoglyph.hardware_models.device import Device
from autoglyph.hardware_models.fusion import Fusion, Piece, Placed
from autoglyph.hardware_models.roofline import Chip, chip_of, kernel_costs, network_costs
from autoglyph.hardware_models.segment_reader import SegmentReader
from autoglyph.hardware_models.segment_table import Floats
from autoglyph.hardware_models.workload import activations, check_fusion, kernel_array
from autoglyph.search_spaces.architecture import Architecture
from autoglyph.search_spaces.genome import Rows
from autoglyph.search_spaces.space import SearchSpace

ROWS_AT_ONCE = 4096
SUMS = ("total_s", "dynamic_j", "weight_elements", "madds", "parameters", "activations")


class PopulationCost:
    """Latency, energy, memory, multiply-adds and parameters of rows of a space of architectures.

    Equal to `estimate(record(genome.decode(row)))` for each row. What a row has in common with earlier ones
    is looked up, so calls get faster as segments become known.

    Args:
        space: a space whose individuals are architectures.
        device: where they run.
        batch: examples at once; None for the device's usual batch.
        fusion: fusion regime; None for the device's usual one.

    Example:
        >>> cost = PopulationCost(load_space("efficientnet"), load_device("tpu_v3"))
        >>> rows = load_space("efficientnet").genome.random(1000, np.random.default_rng(0))
        >>> cost(rows)["latency_ms"].shape
        (1000,)

    Raises:
        ValueError: if individuals of the space are no architectures, or batch or fusion is not valid.
    """

    def __init__(
        self,
        space: SearchSpace,
        device: Device,
        *,
        batch: int | None = None,
        fusion: Fusion | None = None,
    ) -> None:
        self.device = device
        self.batch = device.batch if batch is None else batch
        self.fusion: Fusion = check_fusion(device.fusion if fusion is None else fusion)
        if self.batch < 1:
            raise ValueError(f"batch is {self.batch}; give 1 or more.")
        self._chip = chip_of(device)
        first = space.genome.decode(space.genome.random(1, np.random.default_rng(0))[0])
        if not isinstance(first, Architecture):
            raise ValueError(
                f"Individuals of {space.name} are of type {type(first).__name__}; "
                "population costs need a space of architectures."
            )
        self._reader = SegmentReader(space.genome, self.fusion, len(SUMS), self._totals)
        self._pieces = _PieceTable(self._chip, self.batch)

    def __call__(self, rows: Rows) -> dict[str, Floats]:
        """Costs of canonical rows.

        Args:
            rows: (n, L) rows of the space's genome.

        Returns:
            (n,) arrays of floats: "latency_ms", "energy_mj" (both of a whole batch), "peak_mb" (1e6 bytes,
            weights and activations of a batch), "madds", "activations" (of one example) and "parameters".
        """
        sums, live = np.empty((len(rows), len(SUMS))), np.empty(len(rows))
        for start in range(0, len(rows), ROWS_AT_ONCE):
            some = slice(start, start + ROWS_AT_ONCE)
            self._sum(rows[some], sums[some], live[some])
        total_s, dynamic_j, weights, madds, parameters, outputs = np.ascontiguousarray(sums.T)
        network = network_costs(total_s, dynamic_j, weights, live, self._chip, self.batch)
        return {
            "latency_ms": network.latency_s * 1e3,
            "energy_mj": network.energy_j * 1e3,
            "peak_mb": network.peak_bytes / 1e6,
            "madds": madds,
            "parameters": parameters,
            "activations": outputs,
        }

    def _sum(self, rows: Rows, sums: Floats, live: Floats) -> None:
        if self._reader.make_room():
            self._pieces = _PieceTable(self._chip, self.batch)
        sums[:], live[:] = 0.0, 0.0
        for table, entries in self._reader.entries(rows):
            sums += table.sums.take(entries, axis=0)
            np.maximum(live, table.most.take(entries), out=live)

    def _totals(self, readings: Sequence[Sequence[Placed]]) -> tuple[Floats, Floats]:
        return self._pieces.totals(readings)


class _PieceTable:
    """Sums over the kernels of pieces, each worked out once."""

    def __init__(self, chip: Chip, batch: int) -> None:
        self._chip, self._batch = chip, batch
        self._row_of: dict[Piece, int] = {}
        self._sums: Floats = np.zeros((0, len(SUMS)))
        self._live: Floats = np.zeros(0)

    def totals(self, readings: Sequence[Sequence[Placed]]) -> tuple[Floats, Floats]:
        """(readings, sums) sums over all kernels, and (readings,) most live elements."""
        every = [placed for reading in readings for placed in reading]
        self._tabulate([piece for piece in dict.fromkeys(p.piece for p in every) if piece not in self._row_of])
        at = np.repeat(np.arange(len(readings)), [len(reading) for reading in readings])
        rows = np.array([self._row_of[placed.piece] for placed in every], np.int64)
        kept = np.array([placed.kept_elements for placed in every], float)
        sums = np.zeros((len(readings), len(SUMS)))
        live = np.zeros(len(readings))
        np.add.at(sums, at, self._sums[rows])
        np.maximum.at(live, at, self._live[rows] + kept)
        return sums, live

    def _tabulate(self, pieces: Sequence[Piece]) -> None:
        if not pieces:
            return
        kernels = kernel_array(kernel for piece in pieces for kernel in piece.kernels)
        costs = kernel_costs(kernels, self._chip, self._batch)
        fields = [kernels[field] for field in ("weight_elements", "madds", "parameters")]
        columns = [costs.total_s, costs.dynamic_j, *fields, activations(kernels)]
        assert len(columns) == len(SUMS)
        starts = np.cumsum([0, *(len(piece.kernels) for piece in pieces[:-1])])
        first = len(self._sums)
        self._sums = np.append(self._sums, np.add.reduceat(np.stack(columns, axis=1), starts), axis=0)
        self._live = np.append(self._live, np.maximum.reduceat(kernels["live_elements"], starts))
        for row, piece in enumerate(pieces, start=first):
            self._row_of[piece] = row
            piece.kernels = ()  # thousands of blocks are kept, their kernels are not needed any more
