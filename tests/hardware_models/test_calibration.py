"""Constants that made up measurements are found again; shipped ones hold on measured networks."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from autoglyph.hardware_models import Device, Workload, load_device, record
from autoglyph.hardware_models.agreement import Agreement, agreement
from autoglyph.hardware_models.calibration import FITTED, Calibration, calibrate, leave_one_out
from autoglyph.hardware_models.device_file import read_device
from autoglyph.hardware_models.device_text import device_toml
from autoglyph.hardware_models.fusion import Fusion
from autoglyph.hardware_models.measured import Column, MeasuredTable, Networks, networks, read_table
from autoglyph.search_spaces.space import load_space

TABLE = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "accel_nasbench.csv"
SPACE = load_space("efficientnet")
COUNT = 48


@functools.cache
def _workloads(fusion: Fusion) -> list[Workload]:
    rows = SPACE.genome.random(COUNT, np.random.default_rng(5))
    return [record(SPACE.genome.decode(row), fusion=fusion) for row in rows]


def _made_up(truth: Device, noise: float = 0.0) -> MeasuredTable:
    """A table whose times a device of known constants takes."""
    times = Networks(_workloads(truth.fusion)).latency_s(truth, 64)
    times = times * np.exp(noise * np.random.default_rng(3).standard_normal(COUNT))
    columns = {"ms": Column(truth.name, 64, times)}
    return MeasuredTable([str(i) for i in range(COUNT)], lambda index, fusion: _workloads(fusion)[index], columns)


@pytest.mark.parametrize("name", ["tpu_v2", "a100"])
def test_made_up_measurements_are_explained(name: str) -> None:
    truth, start = load_device(name), load_device(f"{name}:datasheet")
    start = dataclasses.replace(start, model=dataclasses.replace(start.model, overlap=truth.model.overlap))
    table = _made_up(truth)
    found = calibrate(start, table, table.column(name), count=36, seed=0, source="a test")
    assert found.fitted == FITTED[truth.family] and found.calibration_networks == 36
    assert found.held_out_after.networks == 12
    assert found.held_out_mape < 0.01 and found.held_out_after.mape < found.held_out_before.mape / 5
    for constant in ("bandwidth_efficiency", "kernel_overhead_us"):
        assert getattr(found.after.model, constant) == pytest.approx(getattr(truth.model, constant), rel=0.15)
    assert found.after.name == name
    assert found.after.figures == start.figures and found.after.uncalibrated["kernel_overhead_us"] == 2.0
    assert found.after.sources["kernel_overhead_us"] == "fit to 36 networks of a test, batch 64, seed 0"


def test_the_same_seed_gives_the_same_constants() -> None:
    table = _made_up(load_device("a100"), noise=0.02)
    start, column = load_device("v100"), table.columns["ms"]
    one, same, other = (calibrate(start, table, column, count=30, seed=s, source="a test") for s in (1, 1, 2))
    assert one.after == same.after and one.after.model != other.after.model
    assert one.held_out_after.spearman > 0.99


def test_too_few_networks_are_refused() -> None:
    device = load_device("a100")
    table = _made_up(device)
    with pytest.raises(ValueError, match="3 networks are too few to fit 5 constants; give 10 or more"):
        calibrate(device, table, table.columns["ms"], count=3, seed=0, source="a test")
    with pytest.raises(ValueError, match="has 48 networks measured on a100; fit to at most 45"):
        calibrate(device, table, table.columns["ms"], count=47, seed=0, source="a test")


@pytest.mark.parametrize("name", ["tpu_v3", "a100", "coral_edge_tpu"])
def test_a_device_is_written_as_it_is_read(name: str, tmp_path: Path) -> None:
    device, path = load_device(name), tmp_path / "written.toml"
    path.write_text(device_toml(device, 'A remark\nof "two" lines.'), encoding="utf-8")
    assert read_device(path) == device
    read = read_device(path)
    assert dict(read.sources) == dict(device.sources) and dict(read.uncalibrated) == dict(device.uncalibrated)


def test_a_device_without_its_calibration() -> None:
    plain, fitted = load_device("tpu_v3:datasheet"), load_device("tpu_v3")
    assert plain.name == "tpu_v3:datasheet" and not plain.uncalibrated
    assert set(FITTED["tpu"]) <= set(fitted.uncalibrated)
    assert plain.model.kernel_overhead_us == 2.0 != fitted.model.kernel_overhead_us
    assert plain.sources["kernel_overhead_us"] == "assumption; not calibrated"
    assert plain.figures == fitted.figures
    assert load_device("v100:datasheet").model == load_device("v100").model


def test_each_network_is_judged_by_a_fit_to_the_others() -> None:
    table = _made_up(load_device("coral_edge_tpu"), noise=0.02)
    column = table.columns["ms"]
    few = dataclasses.replace(column, latency_s=np.where(np.arange(COUNT) < 9, column.latency_s, np.nan))
    found = leave_one_out(load_device("coral_edge_tpu:datasheet"), table, few, seed=0, source="a test")
    assert found.calibration_networks == found.held_out_after.networks == 9
    assert found.held_out_before.scale < 0.7 and found.held_out_after.scale == pytest.approx(1, abs=0.02)
    assert 0 < found.held_out_mape < 0.1, "none is judged by a fit that knew it"
    few.latency_s[8] = np.nan
    with pytest.raises(ValueError, match="too few to fit 4 constants without one of them; 9 are needed"):
        leave_one_out(load_device("coral_edge_tpu"), table, few, seed=0, source="a test")


def test_the_edge_tpu_ranks_networks_that_its_fit_did_not_know() -> None:
    path = TABLE.with_name("edgetpu_latency.csv")
    if not path.exists():
        pytest.skip("needs ../shared/reference/edgetpu_latency.csv: absent")
    table = read_table(path)
    column = table.column("coral_edge_tpu")
    found = leave_one_out(load_device("coral_edge_tpu:datasheet"), table, column, seed=0, source="Coral")
    print(found.held_out_after)
    assert found.calibration_networks == 11
    assert found.held_out_after.spearman >= 0.99 and found.held_out_after.mape < 0.2


@functools.cache
def _measured(name: str) -> tuple[MeasuredTable, NDArray[np.intp]]:
    if not TABLE.exists():
        pytest.skip("needs ../shared/reference/accel_nasbench.csv: absent")
    table = read_table(TABLE)
    known = np.flatnonzero(np.isfinite(table.column(name).latency_s))
    return table, np.random.default_rng(11).choice(known, 400, replace=False)


def _shipped(name: str) -> Agreement:
    table, indices = _measured(name)
    column, device = table.column(name), load_device(name)
    return agreement(networks(table, device.fusion, indices).latency_s(device, column.batch), column.latency_s[indices])


@pytest.mark.parametrize(
    ("name", "ranks", "slow_ranks", "error"),
    [
        ("a100", 0.998, 0.99, 0.03),
        ("rtx3090", 0.998, 0.99, 0.03),
        ("tpu_v2", 0.985, 0.98, 0.05),
        ("tpu_v3", 0.945, 0.98, 0.05),
    ],
)
def test_shipped_constants_hold(name: str, ranks: float, slow_ranks: float, error: float) -> None:
    """On 400 networks of 3,000, of which about 8 are among the 60 of the fit."""
    found = _shipped(name)
    assert found.spearman >= ranks and found.slow60_spearman >= slow_ranks and found.mape <= error
    assert 0.97 < found.scale < 1.03, "the constants give the time itself, not only its rank"


def test_a_fit_to_sixty_networks_holds_on_others() -> None:
    table, indices = _measured("tpu_v3")
    column = table.column("tpu_v3")
    few = dataclasses.replace(column, latency_s=np.full_like(column.latency_s, np.nan))
    few.latency_s[indices] = column.latency_s[indices]
    found: Calibration = calibrate(load_device("tpu_v3"), table, few, count=60, seed=7, source="Accel-NASBench")
    assert found.held_out_after.networks == 340
    assert found.held_out_after.spearman >= 0.94 and found.held_out_after.slow60_spearman >= 0.98
    assert found.held_out_mape <= 0.05
