"""Properties that hold for every workload and device."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_networks import device, workload

from autoglyph.hardware_models import Workload, available_devices, estimate, load_device
from autoglyph.hardware_models.device import Device
from autoglyph.hardware_models.kernels import KINDS, MATRIX

SIZE = st.integers(1, 3000)
KERNEL = st.fixed_dictionaries(
    {
        "kind": st.integers(0, len(KINDS) - 1),
        "m": SIZE,
        "k": SIZE,
        "n": SIZE,
        "groups": st.integers(1, 20),
        "read_elements": SIZE,
        "written_elements": SIZE,
        "weight_elements": SIZE,
        "vector_ops": st.integers(0, 10**6),
        "input_vector_ops": st.integers(0, 10**6),
        "live_elements": SIZE,
    }
)
WORKLOADS = st.lists(KERNEL, min_size=1, max_size=6).map(lambda kernels: workload(*kernels))
DEVICES = st.sampled_from([device(), device().using(2), *map(load_device, available_devices())])
BETTER_FIGURES = ("clock_ghz", "off_chip_bandwidth_gb_per_s", "matrix_engines_per_core", "on_chip_mib")
BETTER_FIGURES += ("vector_macs_per_cycle_per_core", "macs_per_cycle_per_engine")
BETTER_CONSTANTS = ("matrix_efficiency", "depthwise_efficiency", "vector_efficiency", "bandwidth_efficiency")
BETTER_CONSTANTS += ("on_chip_bandwidth_ratio", "on_chip_share", "overlap")


def _with_figure(chip: Device, name: str, factor: int) -> Device:
    value = getattr(chip.figures, name) * factor
    return dataclasses.replace(chip, figures=dataclasses.replace(chip.figures, **{name: value}))


def _no_slower(better: float, worse: float) -> None:
    assert better <= worse * (1 + 1e-12)


@given(WORKLOADS, DEVICES, st.sampled_from(BETTER_FIGURES), st.integers(2, 5))
@settings(deadline=None)
def test_a_better_chip_is_never_slower(found: Workload, chip: Device, name: str, factor: int) -> None:
    _no_slower(estimate(found, _with_figure(chip, name, factor)).latency_s, estimate(found, chip).latency_s)


@given(WORKLOADS, DEVICES, st.sampled_from(BETTER_CONSTANTS), st.floats(0.1, 1.0))
@settings(deadline=None)
def test_worse_constants_are_never_faster(found: Workload, chip: Device, name: str, share: float) -> None:
    value = getattr(chip.model, name) * share
    value = max(value, 1.0) if name == "on_chip_bandwidth_ratio" else value
    worse = chip.with_constants({name: value}, "test")
    _no_slower(estimate(found, chip).latency_s, estimate(found, worse).latency_s)


@given(WORKLOADS, DEVICES, st.integers(1, 64), st.integers(1, 64))
@settings(deadline=None)
def test_a_larger_batch_takes_longer_and_holds_more(found: Workload, chip: Device, a: int, b: int) -> None:
    small, large = (estimate(found, chip, batch) for batch in (min(a, b), max(a, b)))
    _no_slower(small.latency_s, large.latency_s)
    assert small.energy_j <= large.energy_j * (1 + 1e-12)
    assert small.peak_bytes <= large.peak_bytes


@given(WORKLOADS, DEVICES, st.integers(1, 64))
@settings(deadline=None)
def test_a_batch_is_no_slower_than_its_halves_where_nothing_stays_on_chip(
    found: Workload, chip: Device, batch: int
) -> None:
    chip = chip.with_constants({"on_chip_share": 0.0}, "test")
    _no_slower(estimate(found, chip, 2 * batch).latency_s, 2 * estimate(found, chip, batch).latency_s)


@given(WORKLOADS, WORKLOADS, DEVICES)
@settings(deadline=None)
def test_a_longer_network_takes_longer(first: Workload, second: Workload, chip: Device) -> None:
    both = Workload(np.concatenate([first.kernels, second.kernels]), "eager")
    together, alone = estimate(both, chip), estimate(first, chip)
    assert together.latency_s > alone.latency_s and together.energy_j > alone.energy_j


@given(st.integers(1, 4000), st.integers(1, 600), st.integers(1, 600), DEVICES)
@settings(deadline=None)
def test_no_matrix_product_beats_the_peak(m: int, k: int, n: int, chip: Device) -> None:
    sizes: dict[str, Any] = {"kind": MATRIX, "m": m, "k": k, "n": n, "madds": m * k * n, "live_elements": 1}
    cost = estimate(workload(sizes | {"read_elements": m * k, "written_elements": m * n}), chip)
    assert cost.utilisation <= 1.03 and cost.efficiency <= 1.03


@pytest.mark.parametrize("name", available_devices())
def test_kernels_add_up_to_the_network(name: str) -> None:
    chip = load_device(name).with_constants({"host_us_per_example": 0.0}, "test")
    found = workload(*[{"kind": kind, "m": 9, "k": 9, "n": 9, "live_elements": 9} for kind in range(3)])
    assert estimate(found, chip).latency_s == pytest.approx(estimate(found, chip).kernels_s.sum())
