"""The roofline's equations on single kernels, with numbers worked out by hand.

The chip (one core of two): 1 GHz, 2 engines of 16 multiply-adds a cycle at 50 %, tiles of 4 x 4 x 4 that take
2 cycles to fill; 8 vector steps a cycle at 50 %, 8 lanes, to which 6 or 5 channels are padded in memory too,
depthwise at 25 % and with three times the bytes; 1 GB/s at 80 %; two bytes an element; batch 3.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tiny_networks import OneSegment, device, residual_with_gate, workload

from autoglyph.hardware_models import Cost, estimate, load_device, record
from autoglyph.hardware_models.kernels import DEPTHWISE, MATRIX, VECTOR
from autoglyph.hardware_models.roofline import chip_of, chips_of, kernel_costs, network_costs

MATRIX_KERNEL = dict(
    kind=MATRIX, m=10, k=6, n=5, read_elements=60, written_elements=50, weight_elements=30, madds=300,
    parameters=30, live_elements=110,
)  # fmt: skip
DEPTHWISE_KERNEL = dict(
    kind=DEPTHWISE, m=10, k=9, groups=5, read_elements=50, written_elements=50, weight_elements=45, madds=450,
    parameters=45, live_elements=100,
)  # fmt: skip
VECTOR_KERNEL = dict(
    kind=VECTOR, m=10, n=5, read_elements=50, written_elements=50, vector_ops=100, input_vector_ops=40, k=0,
    live_elements=100,
)  # fmt: skip


def _only(cost: Cost) -> tuple[float, float]:
    return float(cost.compute_s[0]), float(cost.memory_s[0])


def test_a_matrix_product() -> None:
    cost = estimate(workload(MATRIX_KERNEL), device())
    # 30 x 5 outputs are 8 x 2 tiles, 8 waves of 2 engines; a tile is 4 x 4 x 8 products at 8 a cycle, and 2
    compute = 8 * (128 / 8 + 2) * 1e-9
    memory = (160 * 3 * 2 + 30 * 2) / 0.8e9  # 60 elements of 6 channels and 50 of 5 are 80 each of 8
    assert _only(cost) == pytest.approx((compute, memory))
    assert cost.latency_s == pytest.approx(memory + 0.1 * compute + 0.1e-6)
    assert cost.bound.tolist() == ["memory"]
    dynamic = 300 * 3 * 1e-12 + 1020 * (100 + 2) * 1e-12
    assert cost.energy_j == pytest.approx(dynamic + 2.0 * cost.latency_s)  # half of the chip's static power
    assert cost.peak_bytes == (30 + 110 * 3) * 2
    assert cost.operational_intensity_ops_per_byte == pytest.approx(2 * 900 / 1020)
    assert cost.peak_ops_per_s == 0.064e12
    assert cost.ideal_ops_per_s == pytest.approx(1800 / 1020 * 1e9)
    assert cost.achieved_ops_per_s == pytest.approx(1800 / cost.latency_s)
    assert cost.efficiency == pytest.approx(1020 / cost.latency_s / 1e9)
    assert cost.utilisation == pytest.approx(1800 / cost.latency_s / 64e9)
    assert cost.examples_per_s == pytest.approx(3 / cost.latency_s)
    assert (cost.unit, cost.batch, cost.madds, cost.parameters, cost.activations) == ("core", 3, 300, 30, 50)


def test_a_depthwise_convolution() -> None:
    cost = estimate(workload(DEPTHWISE_KERNEL), device())
    compute = 10 * 3 * 9 * 8 / (8 * 0.25) * 1e-9  # five channels fill eight lanes
    memory = (160 * 3 * 2 * 3.0 + 45 * 2) / 0.8e9
    assert _only(cost) == pytest.approx((compute, memory))
    assert cost.latency_s == pytest.approx(memory + 0.1 * compute + 0.1e-6)
    assert cost.activations == 50


def test_element_wise_work() -> None:
    cost = estimate(workload(VECTOR_KERNEL), device())
    compute = 3 * (100 * 8 / 5 + 40 * 8) / (8 * 0.5) * 1e-9
    assert _only(cost) == pytest.approx((compute, 160 * 3 * 2 / 0.8e9))
    assert cost.activations == 0 and cost.achieved_ops_per_s == 0


def test_steps_on_what_a_product_reads_are_padded_by_its_reduction() -> None:
    kernel = MATRIX_KERNEL | dict(vector_ops=50, input_vector_ops=60)
    added = estimate(workload(kernel), device()).compute_s - estimate(workload(MATRIX_KERNEL), device()).compute_s
    assert added == pytest.approx(3 * (50 * 8 / 5 + 60 * 8 / 6) / (8 * 0.5) * 1e-9)


@pytest.mark.parametrize(("on_chip_bytes", "kept"), [(960, 1.0), (640, 0.5), (480, 0.0), (100, 0.0)])
def test_activations_that_fit_stay_on_the_chip(on_chip_bytes: int, kept: float) -> None:
    chip = device({"on_chip_mib": 2 * on_chip_bytes / 2**20}, {"on_chip_share": 1.0})
    memory = _only(estimate(workload(MATRIX_KERNEL), chip))[1]
    assert memory == pytest.approx((960 * (1 - kept) + 60) / 0.8e9 + 960 * kept / 10e9)


def test_what_must_fit_is_that_of_the_examples_on_the_chip() -> None:
    chip = device({"on_chip_mib": 2 * 320 / 2**20}, {"on_chip_share": 1.0, "examples_on_chip": 1.0})
    memory = _only(estimate(workload(MATRIX_KERNEL), chip))[1]
    assert memory == pytest.approx(60 / 0.8e9 + 960 / 10e9), "one example has 320 bytes"
    assert _only(estimate(workload(MATRIX_KERNEL), chip, 300))[1] == pytest.approx(60 / 0.8e9 + 96000 / 10e9)


def test_a_compiler_may_leave_a_share_of_the_padding() -> None:
    half = _only(estimate(workload(DEPTHWISE_KERNEL), device(constants={"lane_padding_share": 0.5})))
    compute = 10 * 3 * 9 * 6.5 / (8 * 0.25) * 1e-9
    assert half == pytest.approx((compute, (130 * 3 * 2 * 3.0 + 45 * 2) / 0.8e9))


def test_weights_beyond_the_cache_stream_once_a_run() -> None:
    fitting = device({"weight_cache_mib": 2 * 120 / 2**20})
    cost = estimate(workload(MATRIX_KERNEL, MATRIX_KERNEL), fitting)
    assert cost.weight_streaming_s == 0
    assert cost.memory_s == pytest.approx([960 / 0.8e9 + 60 / 10e9] * 2)
    scarce = estimate(workload(MATRIX_KERNEL, MATRIX_KERNEL), device({"weight_cache_mib": 2 * 80 / 2**20}))
    assert scarce.weight_streaming_s == pytest.approx(40 / 0.8e9)
    assert scarce.latency_s == pytest.approx(cost.latency_s + 40 / 0.8e9)
    assert scarce.energy_j - cost.energy_j == pytest.approx(40 * 100e-12 + 2.0 * 40 / 0.8e9)


def test_the_host_bounds_the_network() -> None:
    free = estimate(workload(MATRIX_KERNEL), device())
    bound = estimate(workload(MATRIX_KERNEL), device(constants={"host_us_per_example": 0.5}))
    assert bound.host_s == pytest.approx(1.5e-6)
    assert bound.latency_s == pytest.approx((1.5e-6**4 + free.latency_s**4) ** 0.25)


def test_a_kernel_shorter_than_its_overhead_says_so() -> None:
    cost = estimate(workload(MATRIX_KERNEL), device(constants={"kernel_overhead_us": 5.0}))
    assert cost.bound.tolist() == ["overhead"]
    fast = device({"off_chip_bandwidth_gb_per_s": 2e4})
    assert estimate(workload(MATRIX_KERNEL), fast).bound.tolist() == ["compute"]


def test_a_chip_of_two_cores_has_twice_of_everything() -> None:
    core, chip = chip_of(device()), chip_of(device().using(2))
    doubled = ("engines", "vector_steps_per_cycle", "depthwise_macs_per_cycle", "off_chip_bytes_per_s")
    doubled += ("on_chip_bytes_per_s", "on_chip_bytes", "weight_cache_bytes", "static_w")
    for field, one, two in zip(core._fields, core, chip, strict=True):
        assert two == (2 * one if field in doubled else one), field
    assert (device().unit, device().using(2).unit) == ("core", "chip")
    assert device().using(2).peak_ops_per_s == 0.128e12


def test_several_devices_at_once_equal_one_after_the_other() -> None:
    network = record(OneSegment(residual_with_gate))
    devices = [device(), load_device("tpu_v3"), load_device("coral_edge_tpu"), device().using(2)]
    chips = chips_of(devices)
    kernels = kernel_costs(network.kernels, chips, 4)
    sums = [each.sum(axis=1, keepdims=True) for each in (kernels.total_s, kernels.dynamic_j)]
    weights = float(network.kernels["weight_elements"].sum())
    live = float(network.kernels["live_elements"].max())
    together = network_costs(*sums, weights, live, chips, 4)
    for at, each in enumerate(devices):
        alone = estimate(network, each, 4)
        assert kernels.compute_s[at] == pytest.approx(alone.compute_s)
        assert kernels.memory_s[at] == pytest.approx(alone.memory_s)
        assert together.latency_s[at, 0] == pytest.approx(alone.latency_s)
        assert together.energy_j[at, 0] == pytest.approx(alone.energy_j)
        assert together.peak_bytes[at, 0] == alone.peak_bytes


def test_bad_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="batch is 0; give 1 or more"):
        estimate(workload(MATRIX_KERNEL), device(), 0)
    with pytest.raises(ValueError, match="no kernels"):
        estimate(workload(), device())


def test_the_usual_batch_is_the_device_s() -> None:
    chip = dataclasses.replace(device(), batch=7)
    assert estimate(workload(MATRIX_KERNEL), chip).latency_s == estimate(workload(MATRIX_KERNEL), chip, 7).latency_s
    assert np.isfinite(estimate(workload(MATRIX_KERNEL), chip).energy_j)
