"""Published latencies of detectors, ranked by the hardware model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from autoglyph.hardware_models import load_device
from autoglyph.hardware_models.agreement import agreement
from autoglyph.hardware_models.measured import networks, read_table

TABLE = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "detection_models.csv"
ROWS = """model,resolution,V100_ms,P100_ms,status
RetinaNet R50-FPN,640,20,40,seen
RetinaNet R50-FPN,640,20,40,seen
RetinaNet SpineNet-49S,640,10,,seen
RetinaNet SpineNet-49,640,12,,recalled
RetinaNet SpineNet-96,,50,,seen
EfficientDet-D0,,5,,seen
Another detector,640,10,20,seen
"""


def test_rows_of_known_detectors_are_read_once(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(ROWS)
    table = read_table(path)
    assert table.names == ["RetinaNet R50-FPN 640", "RetinaNet SpineNet-49S 640", "EfficientDet-D0 512"]
    v100, p100 = table.column("v100"), table.column("p100")
    assert (v100.batch, v100.latency_s.tolist()) == (1, [0.020, 0.010, 0.005])
    np.testing.assert_array_equal(p100.latency_s, [0.040, np.nan, np.nan])
    assert table.read(0, "eager").parameters == 34_070_414


def test_a_table_without_known_detectors_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("model,resolution,V100_ms,P100_ms\nAnother detector,640,10,20\n")
    with pytest.raises(ValueError, match="no row has the latency of a detector"):
        read_table(path)


@pytest.mark.parametrize("name", ["v100", "p100"])
def test_published_latencies_are_ranked(name: str) -> None:
    """Uncalibrated, beside what multiply-adds and activations reach alone."""
    if not TABLE.is_file():
        pytest.skip("needs ../shared/reference/detection_models.csv: absent")
    table, device = read_table(TABLE), load_device(name)
    column = table.column(name)
    known = np.flatnonzero(np.isfinite(column.latency_s))
    found, truth = networks(table, device.fusion, known), column.latency_s[known]
    model = agreement(found.latency_s(device, column.batch), truth)
    madds, activations = agreement(found.madds, truth), agreement(found.activations, truth)
    ranks = {"model": model.spearman, "madds": madds.spearman, "activations": activations.spearman}
    print(name, json.dumps(ranks))
    assert len(known) >= 8
    assert model.spearman >= 0.95
    assert model.spearman > max(madds.spearman, activations.spearman)
    assert 2 * model.mape < min(madds.mape, activations.mape)
