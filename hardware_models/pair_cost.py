"""Costs of pairs of a network and an accelerator, every row on an accelerator of its own.

Segments are read once, as for a population on one device, but what is kept of them are their kernels: what a
kernel costs differs by accelerator. For some rows at a time the kernels of all networks stand in one long array
beside the figures of the accelerators that they run on, and the roofline's equations are evaluated along it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autoglyph.hardware_models.accelerator import area_mm2, chips_of_columns
from autoglyph.hardware_models.fusion import Placed
from autoglyph.hardware_models.roofline import Chip, KernelSizes, costs_of_sizes, kernel_sizes, network_costs
from autoglyph.hardware_models.segment_reader import SegmentReader
from autoglyph.hardware_models.segment_table import Floats, Integers
from autoglyph.hardware_models.workload import activations, kernel_array
from autoglyph.search_spaces.accelerator import peak_ops_per_s
from autoglyph.search_spaces.codesign import CoDesign, accelerator_columns
from autoglyph.search_spaces.genome import Rows
from autoglyph.search_spaces.space import SearchSpace

ROWS_AT_ONCE = 512
READINGS_KEPT = 1 << 20
SUMS = ("weight_elements", "madds", "parameters", "activations", "reading")


class PairCost:
    """Latency, energy, area and memory of rows of a space of networks with their accelerators.

    Equal to `estimate(record(network), device_of(accelerator))` of each row, also for accelerators that the space
    calls infeasible.

    Args:
        space: a space whose individuals are `CoDesign`.
        batch: examples at once.

    Example:
        >>> space = load_space("nahas")
        >>> rows = space.genome.random(1000, np.random.default_rng(0))
        >>> PairCost(space)(rows)["latency_ms"].shape
        (1000,)

    Raises:
        ValueError: if individuals of the space are no `CoDesign`, or the batch is not positive.
    """

    def __init__(self, space: SearchSpace, *, batch: int = 1) -> None:
        if batch < 1:
            raise ValueError(f"batch is {batch}; give 1 or more.")
        self.batch = batch
        self._genome = space.genome
        first = self._genome.decode(self._genome.random(1, np.random.default_rng(0))[0])
        if not isinstance(first, CoDesign):
            raise ValueError(
                f"Individuals of {space.name} are of type {type(first).__name__}; "
                "costs of pairs need a space of CoDesign."
            )
        self._start()

    def _start(self) -> None:
        self._kernels = _KernelLists()
        self._reader = SegmentReader(self._genome, "full", len(SUMS), self._kernels.add, architecture="architecture")

    def __call__(self, rows: Rows) -> dict[str, Floats]:
        """Costs of canonical rows.

        Args:
            rows: (n, L) rows of the space's genome.

        Returns:
            (n,) arrays of floats: "latency_ms", "energy_mj" (both of a whole batch), "area_mm2" and
            "peak_tera_ops_per_s" of the accelerator, "peak_mb" (1e6 bytes, weights and activations of a batch),
            "madds", "activations" (of one example) and "parameters".
        """
        columns = accelerator_columns(rows, self._genome)
        chips = chips_of_columns(columns)
        kernels_s, kernels_j, live = np.empty(len(rows)), np.empty(len(rows)), np.empty(len(rows))
        sums = np.empty((len(rows), len(SUMS) - 1))
        for start in range(0, len(rows), ROWS_AT_ONCE):
            some = slice(start, start + ROWS_AT_ONCE)
            if self._kernels.readings > READINGS_KEPT:
                self._start()
            self._reader.make_room()
            readings, sums[some], live[some] = self._read(rows[some])
            chip = Chip(*(figure[some] if isinstance(figure, np.ndarray) else figure for figure in chips))
            kernels_s[some], kernels_j[some] = self._sum(readings, chip)
        weights, madds, parameters, outputs = np.ascontiguousarray(sums.T)
        network = network_costs(kernels_s, kernels_j, weights, live, chips, self.batch)
        return {
            "latency_ms": network.latency_s * 1e3,
            "energy_mj": network.energy_j * 1e3,
            "area_mm2": np.asarray(area_mm2(columns), float),
            "peak_mb": network.peak_bytes / 1e6,
            "madds": madds,
            "parameters": parameters,
            "activations": outputs,
            "peak_tera_ops_per_s": np.asarray(peak_ops_per_s(columns), float) / 1e12,
        }

    def _read(self, rows: Rows) -> tuple[Integers, Floats, Floats]:
        """(n, segments) readings, (n, sums) sums that do not depend on the accelerator, (n,) live elements."""
        readings: list[Integers] = []
        sums, live = np.zeros((len(rows), len(SUMS))), np.zeros(len(rows))
        for table, entries in self._reader.entries(rows):
            found = table.sums.take(entries, axis=0)
            sums += found
            np.maximum(live, table.most.take(entries), out=live)
            readings.append(np.broadcast_to(found[:, -1].astype(np.int64), len(rows)))
        return np.stack(readings, axis=1), sums[:, :-1], live

    def _sum(self, readings: Integers, chip: Chip) -> tuple[Floats, Floats]:
        """(n,) sums of the kernels' times and energies."""
        sizes, counts, lengths = self._kernels.of(readings)
        beside = Chip(*(np.repeat(figure, lengths) if isinstance(figure, np.ndarray) else figure for figure in chip))
        costs = costs_of_sizes(sizes, beside, self.batch)
        starts = np.cumsum(lengths) - lengths
        return np.add.reduceat(costs.total_s * counts, starts), np.add.reduceat(costs.dynamic_j * counts, starts)


class _KernelLists:
    """The kernels of every reading of a segment; equal ones of a reading once, with their number."""

    def __init__(self) -> None:
        self.readings = 0
        self._number_of: dict[tuple[Any, ...], int] = {}
        self._fields = np.zeros((len(KernelSizes._fields), 0))
        self._kernels = np.zeros(0, np.int64)
        self._counts = np.zeros(0)
        self._starts = np.zeros(0, np.int64)
        self._lengths = np.zeros(0, np.int64)

    def add(self, readings: Sequence[Sequence[Placed]]) -> tuple[Floats, Floats]:
        """Keeps readings; returns (readings, sums) sums with their numbers last, and (readings,) live elements."""
        sums, live = np.zeros((len(readings), len(SUMS))), np.zeros(len(readings))
        kernels: list[int] = []
        counts: list[int] = []
        lengths: list[int] = []
        new: list[tuple[Any, ...]] = []
        for i, reading in enumerate(readings):
            rows = kernel_array(kernel for placed in reading for kernel in placed.kernels())
            totals = [rows[field].sum() for field in ("weight_elements", "madds", "parameters")]
            sums[i] = *totals, activations(rows).sum(), self.readings + i
            live[i] = rows["live_elements"].max(initial=0)
            of_reading: dict[int, int] = {}
            for sizes in zip(*(column.tolist() for column in kernel_sizes(rows)), strict=True):
                number = self._number_of.setdefault(sizes, len(self._number_of))
                if number == self._fields.shape[1] + len(new):
                    new.append(sizes)
                of_reading[number] = of_reading.get(number, 0) + 1
            kernels += of_reading
            counts += of_reading.values()
            lengths.append(len(of_reading))
        first = len(self._kernels)
        self._kernels = np.append(self._kernels, np.array(kernels, np.int64))
        self._counts = np.append(self._counts, np.array(counts, float))
        self._lengths = np.append(self._lengths, np.array(lengths, np.int64))
        self._starts = np.append(self._starts, first + np.cumsum(lengths) - lengths)
        if new:
            self._fields = np.concatenate([self._fields, np.array(new, float).T], axis=1)
        self.readings += len(readings)
        return sums, live

    def of(self, readings: Integers) -> tuple[KernelSizes, Floats, Integers]:
        """The kernels of some networks, one after the other.

        Args:
            readings: (n, segments) numbers of readings.

        Returns:
            Their (kernels,) sizes and numbers, and (n,) how many of these are of each network.
        """
        lengths = self._lengths.take(readings)
        flat = lengths.ravel()
        ends = np.cumsum(flat)
        at = np.repeat(self._starts.take(readings).ravel() - (ends - flat), flat) + np.arange(ends[-1])
        kernels = self._kernels.take(at)
        kind, *others = self._fields
        sizes = KernelSizes(kind.take(kernels).astype(np.int8), *(field.take(kernels) for field in others))
        return sizes, self._counts.take(at), lengths.sum(axis=1)
