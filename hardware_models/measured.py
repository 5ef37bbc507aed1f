"""Measured tables: other people's networks and how long they took, in any format of `tables`.

A format is a module of `tables` with `HEADINGS`, the columns by which its files are known, and
`read(rows) -> MeasuredTable`.
"""

from __future__ import annotations

import csv
import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.hardware_models.device import Device
from autoglyph.hardware_models.fusion import Fusion
from autoglyph.hardware_models.kernels import KERNEL
from autoglyph.hardware_models.roofline import chip_of, kernel_costs, network_costs
from autoglyph.hardware_models.workload import Workload, activations
from autoglyph.search_spaces import plugins

Floats = NDArray[np.float64]
Row = Mapping[str, str]

_FORMATS = "autoglyph.hardware_models.tables"


@dataclass(frozen=True)
class Column:
    """A measured column of a table.

    Attributes:
        device: name of the device that it was measured on, "" where the table does not say.
        batch: examples in a batch.
        latency_s: (networks,) time of a batch, NaN where it was not measured.
    """

    device: str
    batch: int
    latency_s: Floats


@dataclass(frozen=True)
class MeasuredTable:
    """Networks and what was measured of them.

    Attributes:
        names: of the networks.
        read: (index of a network, fusion regime) -> its workload.
        columns: measured columns by name.
    """

    names: Sequence[str]
    read: Callable[[int, Fusion], Workload]
    columns: Mapping[str, Column]

    def column(self, device: str, name: str | None = None) -> Column:
        """The column of that name, or else the one that was measured on the device.

        Args:
            device: name of the device; "tpu_v3:datasheet" stands for "tpu_v3" here.
            name: a column; None to choose it by the device.

        Raises:
            ValueError: if there is no such column, or none or several for the device.
        """
        if name is not None:
            if name not in self.columns:
                raise plugins.unknown_name("column of measured times", name, self.columns)
            return self.columns[name]
        chip = device.partition(":")[0]
        fitting = [each for each in self.columns.values() if each.device == chip]
        if not fitting and len(self.columns) == 1:
            fitting = [each for each in self.columns.values() if not each.device]
        if len(fitting) != 1:
            names = ", ".join(self.columns)
            raise ValueError(f"Which column of the table was measured on {device}? Choose one with --column: {names}.")
        return fitting[0]


class Networks:
    """Kernels of several networks, equal ones kept once, ready to be costed on any device.

    Args:
        workloads: of the networks, each with at least one kernel.
    """

    def __init__(self, workloads: Sequence[Workload]) -> None:
        place_of: dict[Any, int] = {}
        places: list[int] = []
        for workload in workloads:
            places += [place_of.setdefault(row[1:], len(place_of)) for row in workload.kernels.tolist()]
        self._kernels = np.array([("", *row) for row in place_of], KERNEL)
        self._places = np.array(places, np.intp)
        self._starts = np.cumsum([0, *(len(workload) for workload in workloads[:-1])])
        self.madds = np.array([workload.madds for workload in workloads], float)
        self.activations = self._sum(activations(self._kernels).astype(float))
        self._weights = self._sum(self._kernels["weight_elements"].astype(float))
        self._live = np.maximum.reduceat(self._kernels["live_elements"].astype(float)[self._places], self._starts)

    def _sum(self, values: Floats) -> Floats:
        sums: Floats = np.add.reduceat(values[self._places], self._starts)
        return sums

    def latency_s(self, device: Device, batch: int) -> Floats:
        """(networks,) estimated time of a batch."""
        chip = chip_of(device)
        costs = kernel_costs(self._kernels, chip, batch)
        total, dynamic = self._sum(costs.total_s), self._sum(costs.dynamic_j)
        latency: Floats = network_costs(total, dynamic, self._weights, self._live, chip, batch).latency_s
        return latency


def networks(table: MeasuredTable, fusion: Fusion, indices: Sequence[int] | NDArray[np.intp]) -> Networks:
    """The kernels of some networks of a table.

    Raises:
        ValueError: if there are none.
    """
    if not len(indices):
        raise ValueError("The table has no measured networks in this column; choose another column.")
    return Networks([table.read(int(index), fusion) for index in indices])


def read_table(path: Path) -> MeasuredTable:
    """The table in a CSV file of a known format.

    Raises:
        ValueError: if its columns are those of no format, or a row cannot be read.
        FileNotFoundError: if there is no such file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"There is no table {str(path)!r}: check the path.")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        headings = set(reader.fieldnames or ())
        rows = list(reader)
    formats = {name: importlib.import_module(f"{_FORMATS}.{name}") for name in plugins.module_names(_FORMATS)}
    for module in formats.values():
        if module.HEADINGS <= headings:
            if not rows:
                raise ValueError(f"{path.name} has no rows; give a table with measured networks.")
            try:
                table: MeasuredTable = module.read(rows)
            except (KeyError, IndexError, TypeError, ValueError) as error:
                kind = module.__name__.rpartition(".")[2]
                raise ValueError(f"{path.name} cannot be read as {kind}: {error}") from error
            return table
    wanted = "; ".join(f"{name}: {', '.join(sorted(module.HEADINGS))}" for name, module in formats.items())
    raise ValueError(f"{path.name} is a table of no known format. Columns of the formats are: {wanted}.")


def number(text: str | None) -> float:
    """A figure of a table, NaN where it is empty."""
    return float(text) if text else float("nan")
