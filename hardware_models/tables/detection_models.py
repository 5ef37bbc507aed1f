"""Published detectors by name: tables with the columns model, resolution, V100_ms and P100_ms, batch 1.

Names as in the model zoo of tensorflow/tpu models/official/detection, and EfficientDet-D0 to -D7 at their own
resolution. Rows of detectors that are not written here are left out, and so are rows whose column `status` is not
"seen"; rows that differ in their training alone are one network.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from autoglyph.hardware_models.fusion import Fusion
from autoglyph.hardware_models.measured import Column, MeasuredTable, Row, number
from autoglyph.hardware_models.workload import Workload, record
from autoglyph.search_spaces.architecture import Architecture
from autoglyph.search_spaces.architectures.efficientdet import EFFICIENTDETS, efficientdet
from autoglyph.search_spaces.architectures.resnet_rs import resnet
from autoglyph.search_spaces.architectures.retinanet import RetinaNet
from autoglyph.search_spaces.blocks.feature_pyramid import Fpn
from autoglyph.search_spaces.spaces.nas_fpn import r50_nas_fpn
from autoglyph.search_spaces.spaces.spinenet import MEMBERS

HEADINGS = frozenset(("model", "resolution", "V100_ms", "P100_ms"))

_COLUMNS = {"V100_ms": "v100", "P100_ms": "p100"}


def _resnet_fpn(depth: int, resolution: int) -> RetinaNet:
    return RetinaNet(backbone=resnet(depth, resolution), pyramid=Fpn())


def _spinenet(name: str, resolution: int) -> RetinaNet:
    network = MEMBERS[name]()
    network.rebind({"backbone.size": resolution}, raise_on_no_change=False)
    return network


DETECTORS: Mapping[str, Callable[[int], Architecture]] = {
    **{f"RetinaNet R{depth}-FPN": functools.partial(_resnet_fpn, depth) for depth in (50, 101, 152)},
    "RetinaNet R50-NAS-FPN 7@256": functools.partial(r50_nas_fpn, 7, 256),
    **{f"RetinaNet SpineNet-{name.upper()}": functools.partial(_spinenet, name) for name in MEMBERS},
}
"""Name -> detector of a resolution."""


def detector(name: str, resolution: str) -> Architecture | None:
    """The detector of a row, None if it is not written here or the row does not say its resolution.

    Args:
        name: in the column model.
        resolution: in the column of that name, "" for EfficientDets, which have one each.
    """
    if name in DETECTORS and resolution:
        return DETECTORS[name](int(resolution))
    family, _, variant = name.partition("-")
    if family == "EfficientDet" and variant in EFFICIENTDETS and not resolution:
        return efficientdet(variant)
    return None


def read(rows: Sequence[Row]) -> MeasuredTable:
    """Detectors that are written here, with one column for each device."""
    found: dict[str, Architecture] = {}
    latency_s: dict[str, dict[str, float]] = {column: {} for column in _COLUMNS}
    for row in rows:
        measured = {column: row[column] for column in _COLUMNS if row[column]}
        if not measured or row.get("status", "seen") != "seen":
            continue
        network = detector(row["model"], row["resolution"])
        if network is None:
            continue
        key = f"{row['model']} {network.resolution}"
        found.setdefault(key, network)
        for column, value in measured.items():
            latency_s[column][key] = number(value) * 1e-3
    if not found:
        raise ValueError(f"no row has the latency of a detector of {', '.join(DETECTORS)} or EfficientDet-D0 to -D7.")
    keys = list(found)

    def workload(index: int, fusion: Fusion) -> Workload:
        return record(found[keys[index]], fusion=fusion)

    columns = {
        column: Column(_COLUMNS[column], 1, np.array([times.get(key, float("nan")) for key in keys]))
        for column, times in latency_s.items()
    }
    return MeasuredTable(keys, workload, columns)
