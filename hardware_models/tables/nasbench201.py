"""Tables of NAS-Bench-201: cell strings with the times of HW-NAS-Bench.

HW-NAS-Bench (Li et al. 2021), batch 1, on a Coral Dev Board and a Raspberry Pi 4.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autoglyph.hardware_models.fusion import Fusion
from autoglyph.hardware_models.measured import Column, MeasuredTable, Row, number
from autoglyph.hardware_models.workload import Workload, record
from autoglyph.search_spaces.architectures.nasbench201 import NasBench201, is_connected, parse

HEADINGS = frozenset(("arch_str",))

_MEASURED = {"hwnb_c10_edgetpu_ms": "coral_edge_tpu", "hwnb_c10_raspi4_ms": "raspberry_pi_4"}


def read(rows: Sequence[Row]) -> MeasuredTable:
    """The networks of the rows and their times; cells without a path are left out."""
    cells = [parse(row["arch_str"]) for row in rows]
    kept = [index for index, cell in enumerate(cells) if is_connected(cell)]

    def workload(index: int, fusion: Fusion) -> Workload:
        return record(NasBench201(edges=cells[kept[index]]), fusion=fusion)

    columns = {
        name: Column(device, 1, np.array([number(rows[index][name]) for index in kept]) * 1e-3)
        for name, device in _MEASURED.items()
        if name in rows[0]
    }
    return MeasuredTable([rows[index]["arch_str"] for index in kept], workload, columns)
