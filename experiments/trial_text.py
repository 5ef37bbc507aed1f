"""Trials as the JSON text that the record keeps, whole batches at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autoglyph.search_spaces import Genome, Rows

_COMPACT = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


def gene_texts(genome: Genome, rows: Rows) -> list[str]:
    """The decisions of each row as a JSON list.

    Args:
        genome: the compiled space.
        rows: (n, L) canonical rows.
    """
    if len(rows) == 0:
        return []
    if not np.issubdtype(rows.dtype, np.integer) or genome.length == 0:
        return [_COMPACT.encode(genome.to_json(row)) for row in rows]
    numbers = _COMPACT.encode(rows.tolist())  # "[[1,2],[3,4]]"
    return [f"[{row}]" for row in numbers[2:-2].split("],[")]


def metric_texts(metrics: Mapping[str, Any], n: int) -> list[str]:
    """The metrics of each of n trials as a JSON object, null where a value is not finite.

    Args:
        metrics: (n,) values by name.
        n: how many trials.
    """
    columns = []
    for name, values in metrics.items():
        key = json.dumps(name)
        array = np.asarray(values, np.float64)
        finite = np.isfinite(array)
        if finite.all():
            columns.append([f"{key}:{value!r}" for value in array.tolist()])
        else:
            pairs = zip(array.tolist(), finite.tolist(), strict=True)
            columns.append([f"{key}:{value!r}" if ok else f"{key}:null" for value, ok in pairs])
    return ["{" + ",".join(trial) + "}" for trial in zip(*columns, strict=True)] if columns else ["{}"] * n


def parent_texts(pairs: Sequence[Sequence[int]]) -> list[str]:
    """The trial numbers of the parents of each trial as a JSON list; -1 stands for none."""
    return ["[]" if first < 0 else f"[{first}]" if second < 0 else f"[{first},{second}]" for first, second in pairs]
