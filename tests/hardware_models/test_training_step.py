"""Training steps: matrix work, peak memory and optimizers."""

from __future__ import annotations

import pytest

from autoglyph.hardware_models import estimate, load_device, record
from autoglyph.hardware_models.training_step import estimate_training
from autoglyph.search_spaces import load_space


def test_matrix_work_is_three_times_less_the_gradient_to_the_data() -> None:
    workload, device = record(load_space("efficientnet").individual("b0")), load_device("v100")
    first = int(workload.kernels["madds"][0])
    costs = [estimate_training(workload, device, 32, optimizer=name) for name in ("sgd", "momentum", "adam")]
    assert {cost.step.madds for cost in costs} == {3 * workload.madds - first}
    assert costs[0].step.parameters == workload.parameters
    assert costs[0].latency_s < costs[1].latency_s < costs[2].latency_s
    assert costs[1].peak_bytes - costs[0].peak_bytes == pytest.approx(2 * workload.parameters)
    assert costs[0].peak_bytes > estimate(workload, device, 32).peak_bytes


def test_an_unknown_optimizer_is_refused() -> None:
    workload = record(load_space("efficientnet").individual("b0"))
    with pytest.raises(ValueError, match="lion"):
        estimate_training(workload, load_device("v100"), optimizer="lion")  # type: ignore[arg-type]
