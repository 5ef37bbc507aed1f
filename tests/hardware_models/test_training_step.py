"""Training steps: matrix work, peak memory and optimizers."""

from __future__ import annotations

import pytest

from autoglyph.hardware_models import estimate, load_device, record
from autoglyph.hardware_models.recorder import Recorder
from autoglyph.hardware_models.training_step import OptimizerName, estimate_training, training_pass
from autoglyph.hardware_models.workload import Workload, kernel_array
from autoglyph.search_spaces import load_space, ops


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


def test_products_of_two_values_have_a_gradient_to_each() -> None:
    recorder = Recorder("full", {})
    x = recorder.tensor((8, 6))
    projected = [recorder.apply(ops.Dense(name=part, units=6), x) for part in "qkv"]
    attended = recorder.apply(ops.Attention(name="attend", heads=2), *projected)
    kernels = [kernel for piece in recorder.fused(attended) for kernel in piece.kernels()]
    workload = Workload(kernel_array(kernels), "full")
    step = training_pass(workload)
    first = int(workload.kernels["madds"][0])
    assert step.madds == 3 * workload.madds - first
    gradients = [str(name) for name in step.kernels["name"][len(workload) :]]
    assert gradients[:2] == ["attend_input_gradient", "attend_other_input_gradient"]
    assert gradients[-1] == "q_weight_gradient"
    assert step.parameters == workload.parameters == 3 * (36 + 6)


@pytest.mark.parametrize(("optimizer", "moved"), [("sgd", 3), ("momentum", 5), ("adam", 7)])
def test_the_update_moves_parameters_gradients_and_moments_once(optimizer: OptimizerName, moved: int) -> None:
    workload, device = record(load_space("efficientnet").individual("b0")), load_device("v100")
    small, large = (estimate_training(workload, device, batch, optimizer=optimizer) for batch in (1, 64))
    row = small.update_workload.kernels
    assert int(row["read_elements"].sum() + row["written_elements"].sum()) == moved * workload.parameters
    assert small.update.latency_s == large.update.latency_s
    bound = moved * workload.parameters * device.element_bytes / device.bandwidth_bytes_per_s
    assert bound <= small.update.latency_s <= 2 * bound
