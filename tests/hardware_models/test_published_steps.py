"""The published training steps of ResNet-RS on TPU v3, and how devices rank them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autoglyph.experiments.device_validation import validate
from autoglyph.hardware_models import record
from autoglyph.hardware_models.measured import read_table
from autoglyph.search_spaces import load_space

TABLE = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "model_params_flops.csv"
NOTE = "V100 0.31 s (fp32), TPUv3 70 ms (bf16); TRAINING step latency, initial batch 128"


def _write(path: Path, rows: list[dict[str, Any]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["model", "resolution", "extra", "status"])
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_rows_with_a_time_that_was_seen_are_read(tmp_path: Path) -> None:
    row = {"model": "ResNet-RS-50", "resolution": "160", "extra": NOTE, "status": "seen (latency); GMACs recalled"}
    rows = [
        row,
        row | {"model": "ResNet-RS-101", "status": "recalled"},
        row | {"model": "ResNet-RS-152", "extra": ""},
        row | {"model": "ResNet-RS-51"},
        row | {"model": "LambdaResNet-152"},
    ]
    table = read_table(_write(tmp_path / "t.csv", rows))
    assert table.names == ["ResNet-RS-50 160"]
    column = table.column("tpu_v3:chip")
    assert (column.device, column.batch, column.latency_s.tolist()) == ("tpu_v3", 128, [0.07])
    member = load_space("resnet_rs").individual("rs-50-160")
    assert table.read(0, "eager").rows() == record(member, fusion="eager").rows()
    with pytest.raises(ValueError, match="no row has a ResNet-RS with a time on TPUv3"):
        read_table(_write(tmp_path / "t.csv", rows[1:]))


@pytest.mark.parametrize("device", ["tpu_v3", "tpu_v3:chip", "tpu_v3:datasheet"])
def test_the_eleven_published_steps_rank_at_one(device: str) -> None:
    if not TABLE.exists():
        pytest.skip("needs ../shared/reference/model_params_flops.csv: absent")
    found = validate(device, TABLE)
    assert found.model.networks == 11
    assert found.measured_ms[np.argsort(found.estimated_ms)].tolist() == pytest.approx(
        [70, 120, 170, 240, 320, 410, 570, 780, 1100, 1630, 2090]
    )
    assert found.model.spearman == pytest.approx(1.0, abs=1e-12)
