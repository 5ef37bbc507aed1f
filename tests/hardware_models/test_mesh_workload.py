"""Recorded networks on meshes of chips: bytes, work and memory by hand, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tiny_networks import OneSegment, device, residual_with_gate, workload

from autoglyph.hardware_models import load_device, record
from autoglyph.hardware_models.parallel.link import Link
from autoglyph.hardware_models.parallel.mesh_workload import estimate_workload_layout, gathered_elements
from autoglyph.hardware_models.parallel.pipeline import training_times
from autoglyph.search_spaces.space import load_space

CHIP = device()
ELEMENT = CHIP.element_bytes
SIZES = {"m": 16, "read_elements": 16 * 8, "written_elements": 16 * 8, "live_elements": 2 * 16 * 8}
NET = workload(
    SIZES | {"name": "first", "kind": 1, "k": 8, "n": 8, "madds": 1024, "parameters": 64, "weight_elements": 64},
    SIZES | {"name": "depth", "kind": 2, "k": 9, "groups": 8, "madds": 1152, "parameters": 72, "weight_elements": 72},
    SIZES | {"name": "relu", "n": 8, "vector_ops": 128},
    SIZES | {"name": "last", "kind": 1, "k": 8, "n": 8, "madds": 1024, "parameters": 64, "weight_elements": 64},
)


def test_data_parallelism_sends_the_parameters_by_hand() -> None:
    cost = estimate_workload_layout(NET, CHIP, {"x": 4}, {"batch": "x"}, batch=8)
    assert cost.gradient_bytes == cost.communication_bytes == 2 * 3 / 4 * 200 * ELEMENT
    assert cost.state_bytes == 3 * 200 * ELEMENT and cost.activation_bytes == 2 * 4 * 128 * ELEMENT
    assert cost.compute_s == pytest.approx(sum(t.sum() for t in training_times(NET, CHIP, 2)))
    assert cost.communication_s == pytest.approx(cost.gradient_bytes / 82e9 + 6e-6)


def test_split_channels_gather_inputs_by_hand() -> None:
    """Of the two matrix products the first reads images; the other gathers 128 elements an example over 2 chips."""
    wire = Link(bandwidth_gb_per_s=1.0, latency_us=2.0)
    cost = estimate_workload_layout(NET, CHIP, {"y": 2}, {"channels": "y"}, batch=8, link=wire)
    assert gathered_elements(NET.kernels).tolist() == [0, 0, 0, 128]
    assert cost.channel_bytes == cost.communication_bytes == 2 * 1 / 2 * 128 * 8 * ELEMENT
    assert cost.communication_s == pytest.approx(cost.channel_bytes / 1e9 + 2 * 2e-6)
    assert cost.state_bytes == 3 * 100 * ELEMENT and cost.activation_bytes == 8 * 4 * 64 * ELEMENT


def test_both_splits_multiply() -> None:
    cost = estimate_workload_layout(NET, CHIP, {"x": 4, "y": 2}, {"batch": "x", "channels": "y"}, batch=8)
    assert cost.chips == 8
    assert cost.gradient_bytes == 2 * 3 / 4 * 100 * ELEMENT
    assert cost.channel_bytes == 2 * 1 / 2 * 128 * 2 * ELEMENT
    assert cost.memory_bytes == (3 * 100 + 2 * 4 * 64) * ELEMENT
    idle = estimate_workload_layout(NET, CHIP, {"x": 4, "y": 2}, {"batch": "x"}, batch=8)
    assert idle.chips == 8 and idle.channel_bytes == 0 and idle.compute_s >= cost.compute_s


def test_one_chip_is_one_chip() -> None:
    alone = estimate_workload_layout(NET, CHIP, {"x": 1}, {"batch": "x"}, batch=8)
    assert alone.speedup == 1 and alone.communication_s == 0 and alone.memory_bytes == alone.single_device_bytes


def test_skips_are_not_gathered() -> None:
    network = record(OneSegment(residual_with_gate), fusion="full")  # type: ignore[arg-type]
    gathered = dict(zip(network.kernels["name"], gathered_elements(network.kernels), strict=True))
    image = 8 * 8 * 4
    assert gathered["net_conv"] == 0 and gathered["net_excite"] == gathered["net_dense"] == 4
    (project,) = (name for name in gathered if "project" in name)
    assert gathered[project] == image
    assert network.kernels["read_elements"][list(gathered).index(project)] > image


@pytest.mark.parametrize("name", ["b0", "b3"])
def test_networks_speed_up_by_less_than_the_chips(name: str) -> None:
    network, chip = record(load_space("efficientnet").individual(name), fusion="chain"), load_device("v100")
    layouts: list[dict[str, Any]] = [{"batch": "x"}, {"batch": "x", "channels": "y"}]
    costs = [estimate_workload_layout(network, chip, {"x": 4, "y": 2}, lay, batch=256) for lay in layouts]
    assert all(1 < cost.speedup < 8 for cost in costs)
    assert costs[0].gradient_bytes == pytest.approx(1.5 * network.parameters * 2)
    assert costs[1].memory_bytes < costs[0].memory_bytes and np.isfinite(costs[1].step_s)


BAD: dict[str, tuple[dict[str, str], int, str]] = {
    "same axis": ({"batch": "x", "channels": "x"}, 8, "both batch and channels.*same mesh dimension x"),
    "batch": ({"batch": "x"}, 6, "batch of 6 does not split over 4 chips"),
    "channels": ({"channels": "z"}, 8, "kernel first has 8 output channels, which do not divide by 3"),
    "rows": ({"rows": "x"}, 8, "Splitting rows of a recorded network is not estimated"),
    "dimension": ({"chanels": "x"}, 8, "did you mean 'channels'"),
    "axis": ({"batch": "w"}, 8, "Unknown mesh dimension 'w'"),
}


@pytest.mark.parametrize("case", BAD)
def test_illegal_layouts_are_one_sentence(case: str) -> None:
    layout, batch, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        estimate_workload_layout(NET, CHIP, {"x": 4, "z": 3}, layout, batch=batch)
