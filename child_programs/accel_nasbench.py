"""Accel-NASBench as a benchmark (Ahmad et al. 2024): trainings and chips replaced by regressions on its table.

The benchmark itself is a set of regressions on measured networks; these are ours, fitted when the table is read, with
a fifth of the networks held out to tell their errors.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyglove as pg
from numpy.typing import NDArray

from autoglyph.child_programs.base import Measurement, Rung
from autoglyph.child_programs.fit_accel_nasbench import fit_targets, read_table
from autoglyph.child_programs.surrogates.surrogate import LinearSurrogate
from autoglyph.search_spaces import Rows
from autoglyph.search_spaces.spaces.efficientnet import SPACE

EPOCHS = 16
ACCURACY, TRAINING = "top1", "train_seconds"
COLUMNS = {
    ACCURACY: ("val_top1", "ImageNet top-1 in percent after a 16-epoch proxy training"),
    TRAINING: ("train_time", "logarithm of the seconds of that training"),
    "a100_images_per_s": ("throughput_a100", "logarithm of the images a second on an A100"),
    "rtx3090_images_per_s": ("throughput_3090", "logarithm of the images a second on an RTX 3090"),
    "tpu_v2_images_per_s": ("throughput_tpuv2", "logarithm of the images a second on a TPU v2"),
    "tpu_v3_images_per_s": ("throughput_tpuv3", "logarithm of the images a second on a TPU v3"),
}
"""Metrics by name: the column of the table, and what is regressed. All but the accuracy are fitted in logarithms."""


@dataclass(frozen=True)
class AccelNasBench:
    """Predictions for every individual of the space "efficientnet".

    Attributes:
        surrogates: by metric.
        source: name of the file they were fitted on.
    """

    surrogates: Mapping[str, LinearSurrogate]
    source: str

    def predict(self, rows: Rows) -> dict[str, NDArray[np.float64]]:
        """(n,) values by metric for (n, L) rows: percent, seconds, images per second."""
        found = {name: surrogate.predict(rows) for name, surrogate in self.surrogates.items()}
        return {name: values if name == ACCURACY else np.exp(values) for name, values in found.items()}


def load_accel_nasbench(path: str) -> AccelNasBench:
    """Fits the regressions on a table.

    Args:
        path: accel_nasbench.csv, with the networks' stages and the columns of `COLUMNS`.

    Raises:
        ValueError: if it is no such table.
    """
    table = read_table(Path(path))
    missing = [column for column, _ in COLUMNS.values() if column not in table[0]] if table else ["val_top1"]
    if missing:
        raise ValueError(f"{path!r} has no values of {missing[0]}: give the whole table with --data.")
    targets = {}
    for name, (column, predicts) in COLUMNS.items():
        values = np.array([_number(path, at, row, column) for at, row in enumerate(table, start=2)])
        targets[name] = (predicts, values if name == ACCURACY else np.log(values))
    fields = fit_targets(table, SPACE.genome, targets)
    surrogates = {name: LinearSurrogate.from_json(json.dumps(each)) for name, each in fields.items()}
    return AccelNasBench(surrogates, Path(path).name)


def _number(path: str, line: int, row: Mapping[str, str], column: str) -> float:
    """A measurement; NaN where the table has none."""
    if not row[column]:
        return math.nan
    try:
        value = float(row[column])
    except ValueError:
        value = -1.0
    if not value > 0:
        raise ValueError(f"{path!r}, line {line}: {column} is no positive number; correct or drop the line.")
    return value


class AccelNasBenchTraining(pg.Object):
    """Looks up what the regressions say of an individual, in one rung of 16 epochs."""

    @property
    def rungs(self) -> Sequence[Rung]:
        """The one budget of the benchmark."""
        return [Rung(f"{EPOCHS} epochs", "epochs", float(EPOCHS))]

    def run(self, candidate: Any, *, seed: int, data: AccelNasBench) -> Iterator[Measurement]:
        """Predicts accuracy, training time and speed on four chips.

        Yields:
            The metrics of `COLUMNS`.
        """
        predicted = data.predict(SPACE.genome.encode(candidate)[None])
        yield Measurement(0, {name: float(values[0]) for name, values in predicted.items()}, 0.0)
