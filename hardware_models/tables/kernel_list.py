"""A plain list of kernels: one row a kernel, rows of a network together, with the network's measured time.

The columns are the fields of `kernels.KERNEL`, as `Workload.rows` gives them for "chain" or any other regime,
and "network" and "latency_ms"; "batch" is 1 where it is left out. The fusion regime of the device does not
matter: the list says itself what a kernel is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autoglyph.hardware_models.fusion import Fusion
from autoglyph.hardware_models.kernels import KERNEL, KINDS
from autoglyph.hardware_models.measured import Column, MeasuredTable, Row, number
from autoglyph.hardware_models.workload import Workload, kernel_array

_FIELDS = [field for field in KERNEL.names or () if field not in ("name", "kind")]

HEADINGS = frozenset(("network", "latency_ms", "kind", *_FIELDS))


def read(rows: Sequence[Row]) -> MeasuredTable:
    """The networks that the rows list and their times."""
    kernels: dict[str, list[tuple[Any, ...]]] = {}
    latency_s: dict[str, float] = {}
    batches: set[int] = set()
    for row in rows:
        name = row["network"]
        if row["kind"] not in KINDS:
            raise ValueError(f"kind is {row['kind']!r}; give one of {', '.join(KINDS)}.")
        figures = [int(row[field]) for field in _FIELDS]
        kernels.setdefault(name, []).append((row.get("name", ""), KINDS.index(row["kind"]), *figures))
        seconds = number(row["latency_ms"]) * 1e-3
        if name in latency_s and not np.array_equal(latency_s[name], seconds, equal_nan=True):
            raise ValueError(f"latency_ms of the network {name!r} differs between its rows; give one time a network.")
        latency_s[name] = seconds
        batches.add(int(row.get("batch") or 1))
    if len(batches) > 1:
        raise ValueError(f"batch is {', '.join(map(str, sorted(batches)))}; give one batch a table.")
    names = list(kernels)

    def workload(index: int, fusion: Fusion) -> Workload:
        return Workload(kernel_array(kernels[names[index]]), fusion)

    column = Column("", batches.pop(), np.array([latency_s[name] for name in names]))
    return MeasuredTable(names, workload, {"latency_ms": column})
