"""Edge accelerators as devices of the roofline: by hand, and that more of anything is no slower."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tiny_networks import workload

from autoglyph.hardware_models import Device, estimate, load_device, record
from autoglyph.hardware_models.accelerator import SOURCES, area_mm2, chips_of_columns, device_of
from autoglyph.hardware_models.device import Constants, Figures
from autoglyph.hardware_models.kernels import MATRIX
from autoglyph.hardware_models.roofline import chip_of
from autoglyph.search_spaces.accelerator import CHOICES, Accelerator, violations
from autoglyph.search_spaces.space import load_space

SPACE = load_space("accelerator")
NETWORKS = load_space("efficientnet")
NEVER_SLOWER = tuple(name for name in CHOICES if name != "simd_units")  # more units are padded to more channels
TINY = Accelerator(
    pes_x=1,
    pes_y=1,
    simd_units=16,
    compute_lanes=1,
    local_memory_mb=0.5,
    register_file_kb=8,
    io_bandwidth_gb_per_s=5.0,
)

POINTS = st.integers(0, SPACE.size - 1).map(lambda i: SPACE.genome.decode(SPACE.genome.rows_at(i, i + 1)[0]))
VALID = POINTS.filter(lambda accelerator: not violations(accelerator))
WORKLOADS = st.integers(0, 2**31).map(
    lambda seed: record(NETWORKS.genome.decode(NETWORKS.genome.random(1, np.random.default_rng(seed))[0]))
)


def test_one_kernel_by_hand() -> None:
    # 64 positions, 16 -> 32 channels: 64 x 2 tiles of 16 / 4 dot products at 0.66 of the peak; 8 KB hold
    # (8192 - 128) // 72 = 112 rows, and the weights change once for these
    kernel = {"kind": MATRIX, "m": 64, "k": 16, "n": 32, "groups": 1, "madds": 64 * 16 * 32}
    found = workload({**kernel, "read_elements": 1024, "written_elements": 2048, "weight_elements": 512})
    cost = estimate(found, device_of(TINY))
    compute_s = 128 * (4 / 0.66 + 64 / 112) / 0.8e9
    memory_s = (1024 + 2048 + 512) / (64 * 0.8e9)  # all of it is on the chip, at 64 bytes a cycle
    assert cost.latency_s == pytest.approx(compute_s + 0.05 * memory_s + 1e-6, rel=1e-12)
    mac_pj = 0.06 + 2 * 0.5 * np.sqrt(8 / 16 / 32)
    on_chip_pj = 0.5 * np.sqrt(512 / 32) * (1 + 32 / 112)
    dynamic_j = (64 * 16 * 32 * mac_pj + 3584 * on_chip_pj) * 1e-12
    area = 64 * 1e-4 + 0.1 + 0.5 + 0.02 + 8 * 3 / 1024 + 5 * 0.3
    assert area_mm2(TINY.columns) == pytest.approx(area, rel=1e-12)
    assert cost.energy_j == pytest.approx(dynamic_j + 0.01 * area * cost.latency_s, rel=1e-12)


@pytest.mark.parametrize(("name", "peak"), [("baseline", 26.2144), ("coral", 3.2768), ("pixel", 6.5536)])
def test_known_accelerators_are_devices(name: str, peak: float) -> None:
    device = load_device(f"accelerator:{name}")
    assert (device.name, device.family, device.precision) == (f"accelerator:{name}", "edge", "int8")
    assert device.figures.peak_tera_ops_per_s == pytest.approx(peak)
    assert device.computed_peak_tera_ops_per_s == pytest.approx(peak)
    fields = {f.name for kind in (Figures, Constants) for f in dataclasses.fields(kind)}
    assert fields <= set(SOURCES) and all(SOURCES.values())


def test_unknown_and_invalid_accelerators_are_refused() -> None:
    with pytest.raises(ValueError, match="did you mean 'pixel'"):
        load_device("accelerator:pixl")
    with pytest.raises(ValueError, match="Invalid accelerator. register_file: 8 KB"):
        device_of(TINY.clone(override={"simd_units": 128}))


def test_many_chips_at_once_are_the_same_chips() -> None:
    rows = SPACE.genome.random(300, np.random.default_rng(0))
    rows = rows[SPACE.feasible(rows)]
    columns = {name: SPACE.genome.literals(rows, i) for i, name in enumerate(CHOICES)}
    chips, areas = chips_of_columns(columns), area_mm2(columns)
    for at, row in enumerate(rows):
        accelerator = SPACE.genome.decode(row)
        alone = chip_of(device_of(accelerator))
        assert areas[at] == area_mm2(accelerator.columns)
        for field, figure in zip(chips._fields, chips, strict=True):
            assert np.broadcast_to(figure, len(rows))[at] == getattr(alone, field), field


@given(VALID, WORKLOADS, st.sampled_from(NEVER_SLOWER), st.data())
@settings(deadline=None, max_examples=60)
def test_more_of_anything_is_never_slower(accelerator: Accelerator, found: Any, name: str, data: st.DataObject) -> None:
    more = data.draw(st.sampled_from([c for c in CHOICES[name] if c >= accelerator.columns[name]]))
    better = accelerator.clone(override={name: more})
    assume(not violations(better))  # more lanes need more memory, a higher peak needs more bandwidth
    slow, fast = (estimate(found, device_of(each)).latency_s for each in (accelerator, better))
    assert fast <= slow * (1 + 1e-12)


@given(VALID, st.sampled_from(tuple(CHOICES)))
def test_more_of_anything_is_larger(accelerator: Accelerator, name: str) -> None:
    for more in CHOICES[name]:
        if more > accelerator.columns[name]:
            assert area_mm2({**accelerator.columns, name: more}) > area_mm2(accelerator.columns)


def test_larger_memories_cost_more_energy_a_byte() -> None:
    def device(**change: Any) -> Device:
        return device_of(SPACE.individual("baseline").clone(override=change))

    assert device(local_memory_mb=4.0).figures.on_chip_pj_per_byte > device().figures.on_chip_pj_per_byte
    assert device(register_file_kb=64).figures.mac_pj > device().figures.mac_pj
    assert device(register_file_kb=64).figures.on_chip_pj_per_byte < device().figures.on_chip_pj_per_byte
