"""Published networks with times of a training step: parameter and accuracy tables whose notes print them.

The notes (column `extra`) of tensorflow/tpu's ResNet-RS rows read "TPUv3 70 ms (bf16); ... batch 128". They time
a training step where the hardware model estimates an inference, so ranks and proportions can be compared and
absolute times cannot. Rows without such a note, rows that were not read at their source and networks that are not
members of the space `resnet_rs` are left out. V100 times in the same notes are of 32-bit arithmetic at a batch that
was halved until it fitted, which none of the devices describes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from autoglyph.hardware_models.fusion import Fusion
from autoglyph.hardware_models.measured import Column, MeasuredTable, Row
from autoglyph.hardware_models.workload import Workload, record
from autoglyph.search_spaces.architectures.resnet_rs import RS_BLOCKS, resnet_rs

HEADINGS = frozenset(("model", "resolution", "extra", "status"))

_MODEL = re.compile(r"ResNet-RS-(\d+)")
_TPU_V3 = re.compile(r"TPUv3 ([\d.]+) ms")
_BATCH = 128


def read(rows: Sequence[Row]) -> MeasuredTable:
    """The ResNet-RS rows that were seen at their source, with one column of TPU v3 times.

    Raises:
        ValueError: if there are none.
    """
    found: dict[tuple[int, int], float] = {}
    for row in rows:
        model, latency = _MODEL.fullmatch(row["model"]), _TPU_V3.search(row["extra"])
        if model and latency and int(model[1]) in RS_BLOCKS and row["status"].startswith("seen"):
            found[int(model[1]), int(row["resolution"])] = float(latency[1]) * 1e-3
    if not found:
        raise ValueError("no row has a ResNet-RS with a time on TPUv3 in its column extra.")
    members = list(found)

    def workload(index: int, fusion: Fusion) -> Workload:
        return record(resnet_rs(*members[index]), fusion=fusion)

    column = Column("tpu_v3", _BATCH, np.array(list(found.values())))
    return MeasuredTable([f"ResNet-RS-{d} {r}" for d, r in members], workload, {"tpu_v3_step": column})
