"""Child programs of tabular benchmarks: a training is a look-up of what was measured once."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyglove as pg

from autoglyph.child_programs.base import ChildFailed, Measurement, Rung


@dataclass(frozen=True)
class TrainingTable:
    """What individuals were measured at, by name.

    Attributes:
        values: one number a rung for every name; fewer where the dearer rungs were not measured.
        name_of: an individual to its name.
        source: name of the file.
    """

    values: Mapping[str, Sequence[float]]
    name_of: Callable[[Any], str]
    source: str


def load_table(path: str, key: str, columns: Sequence[str], name_of: Callable[[Any], str]) -> TrainingTable:
    """Reads a table of trained individuals.

    Args:
        path: a CSV file.
        key: column of the names.
        columns: measurements, from the cheapest rung to the dearest.
        name_of: an individual to its name.

    Raises:
        ValueError: if the file is no such table.
        FileNotFoundError: if there is no such file.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(
            f"There is no table {path!r}: name one with the columns {key}, {', '.join(columns)} with --data."
        )
    values: dict[str, tuple[float, ...]] = {}
    with file.open(encoding="utf-8", newline="") as opened:
        reader = csv.DictReader(opened)
        missing = [column for column in (key, *columns) if column not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(f"{file.name} has no column {missing[0]}: give a table with {key}, {', '.join(columns)}.")
        for number, row in enumerate(reader, start=2):
            try:
                known = itertools.takewhile(bool, (row[column] for column in columns))
                values[row[key]] = tuple(float(value) for value in known)
            except (TypeError, ValueError):
                raise ValueError(
                    f"{file.name}, line {number}: a measurement is no number; correct or drop the line."
                ) from None
    if not values:
        raise ValueError(f"{file.name} has no rows: give a table of trained individuals.")
    return TrainingTable(values, name_of, file.name)


class TabularTraining(pg.Object):
    """Looks measurements up, rung by rung.

    Attributes:
        amounts: budgets at which individuals were measured, from the beginning of a training, rising.
        units: of the budgets.
    """

    amounts: list[float]
    units: str = "epochs"

    @property
    def rungs(self) -> Sequence[Rung]:
        """One rung a column of the table."""
        return [Rung(f"{amount:g} {self.units}", self.units, amount) for amount in self.amounts]

    def run(self, candidate: Any, *, seed: int, data: TrainingTable) -> Iterator[Measurement]:
        """Gives what the table has of an individual.

        Yields:
            "accuracy" as the table has it.

        Raises:
            ChildFailed: if the table does not have the individual.
        """
        name = data.name_of(candidate)
        if not data.values.get(name):
            raise ChildFailed(f"{data.source} has no measurement of {name!r}.")
        for rung, value in enumerate(data.values[name]):
            yield Measurement(rung, {"accuracy": value}, 0.0)
