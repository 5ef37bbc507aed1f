"""The Accel-NASBench table as rows of a space, for tests that need it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pyglove as pg
import pytest
from numpy.typing import NDArray

from autoglyph.search_spaces.architectures.efficientnet import STRIDES, EfficientNet, Stage
from autoglyph.search_spaces.architectures.efficientnet_family import B0_STAGES
from autoglyph.search_spaces.genome import Rows
from autoglyph.search_spaces.space import SearchSpace

TABLE = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "accel_nasbench.csv"
CHOICES: dict[str, tuple[str, tuple[float, ...]]] = {
    "repeats": ("block_l", (1, 2, 3, 4)),  # 4 occurs in the sixth stage
    "kernel": ("block_k", (3, 5)),
    "expansion": ("block_e", (1, 4, 6)),
    "se_ratio": ("block_se", (0.0, 0.25)),
}


def _space() -> EfficientNet:
    stages = [
        Stage(
            filters=published.filters,
            stride=stride,
            **{field: pg.oneof(list(values)) for field, (_, values) in CHOICES.items()},
        )
        for published, stride in zip(B0_STAGES, STRIDES, strict=True)
    ]
    return EfficientNet(stages=stages)


SPACE = SearchSpace("accel_nasbench", _space)


def rows_and_columns() -> tuple[Rows, dict[str, NDArray[Any]]]:
    """(n, L) rows of `SPACE` and the measured columns by name; skips where there is no table."""
    if not TABLE.exists():
        pytest.skip("needs ../shared/reference/accel_nasbench.csv: absent")
    with TABLE.open(newline="") as file:
        table = list(csv.DictReader(file))
    genome = SPACE.genome
    rows = np.zeros((len(table), genome.length), genome.dtype)
    for at, column in enumerate(genome.columns):
        stage, field = column.name.split(".")
        source, values = CHOICES[field]
        written = [float(row[source].split("-")[int(stage[7:-1])]) for row in table]
        scale = 0.25 if field == "se_ratio" else 1
        rows[:, at] = [values.index(scale * value) for value in written]
    names = [name for name in table[0] if not name.startswith("block")]
    return rows, {name: np.array([float(row[name] or "nan") for row in table]) for name in names}
