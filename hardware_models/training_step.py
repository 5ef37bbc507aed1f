"""The workload of one training step: forward, backward and update, derived from a workload of inference.

Each kernel of the forward pass gives
- itself again, with its outputs kept for the backward pass;
- the gradient to its input, one product of the same multiply-adds (not for the first kernel with weights, where no
  gradient to the data is needed);
- the gradient to its weights, again one product of the same multiply-adds, which writes the weights once;
- element-wise steps once more in the backward pass, where norms and activations are differentiated.
The update then reads parameters, gradients and moments, and writes parameters and moments, once a step whatever
the batch. Rows and columns of the gradient to the weights are those of the forward product, whose batch is its
reduction there; tiles differ a little, multiply-adds do not. Matrix work of a step is therefore three times that of
inference less the one gradient to the data (Kaplan et al. 2020, section 2.1, count the same factor of three).

What is not counted: the extra pass of batch normalisation over its input for mean and variance of the batch, where
the workload has it folded into a convolution (fusion "chain" and "full"); dropout masks; recomputation.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from autoglyph.hardware_models.device import Device
from autoglyph.hardware_models.kernels import MATRIX, VECTOR
from autoglyph.hardware_models.roofline import Cost, estimate
from autoglyph.hardware_models.workload import Workload
from autoglyph.search_spaces import plugins

OptimizerName = Literal["sgd", "momentum", "adam"]
MOMENTS = MappingProxyType({"sgd": 0, "momentum": 1, "adam": 2})
"""Arrays as large as the parameters that an optimizer keeps beside them."""

_STEPS = MappingProxyType({"sgd": 2, "momentum": 4, "adam": 12})  # vector steps a parameter (own count)


@dataclass(frozen=True, eq=False)
class TrainingCost:
    """What one training step costs on a device.

    Attributes:
        step: forward and backward pass of a batch, kernel by kernel.
        step_workload: its kernels.
        optimizer: which one updates the parameters.
        update: cost of the update, which does not depend on the batch.
        update_workload: the update as one kernel.
        state_bytes: gradients and moments, kept beside the weights and activations.
        read_again_bytes: weights and gradients of weights that the backward pass moves; `step` counts them in
            its peak as if they were other weights.
    """

    step: Cost
    step_workload: Workload
    optimizer: str
    update: Cost
    update_workload: Workload
    state_bytes: float
    read_again_bytes: float

    @property
    def latency_s(self) -> float:
        """Time of the step."""
        return self.step.latency_s + self.update.latency_s

    @property
    def energy_j(self) -> float:
        """Energy of the step."""
        return self.step.energy_j + self.update.energy_j

    @property
    def peak_bytes(self) -> float:
        """Weights, gradients, moments, and all activations that the backward pass needs."""
        return self.step.peak_bytes - self.read_again_bytes + self.state_bytes


def training_pass(workload: Workload) -> Workload:
    """Forward and backward pass of a batch as kernels, without the update.

    Args:
        workload: of inference.
    """
    forward = workload.kernels.copy()
    forward["live_elements"] = np.cumsum(forward["written_elements"]) + forward["read_elements"][0]
    weighted = np.flatnonzero(forward["parameters"] > 0)
    first = int(weighted[0]) if len(weighted) else 0
    backward: list[NDArray[Any]] = []
    for i in range(len(forward) - 1, -1, -1):
        row = forward[i : i + 1]
        if row["parameters"][0]:
            backward.append(_weight_gradient(row))
        if i > first:
            backward.append(_input_gradient(row))
        if row["madds"][0] and not row["parameters"][0]:  # a product of two values: both have a gradient
            backward.append(_input_gradient(row, "other_input"))
    return Workload(np.concatenate([forward, *backward]), workload.fusion)


def estimate_training(
    workload: Workload, device: Device, batch: int | None = None, *, optimizer: OptimizerName = "adam"
) -> TrainingCost:
    """What one training step costs on a device.

    Args:
        workload: of inference.
        device: where it runs; weights, gradients and moments are kept at its precision.
        batch: examples in a step; None for the device's usual batch.
        optimizer: "sgd", "momentum" or "adam".

    Raises:
        ValueError: if there is no such optimizer, or the batch is not positive.
    """
    if optimizer not in MOMENTS:
        raise plugins.unknown_name("optimizer", optimizer, MOMENTS)
    both = training_pass(workload)
    step = estimate(both, device, batch)
    again = int(both.kernels["weight_elements"].sum()) - int(workload.kernels["weight_elements"].sum())
    moments, parameters = MOMENTS[optimizer], workload.parameters
    update = update_workload(workload, optimizer)
    size = float(device.element_bytes)
    return TrainingCost(
        step=step,
        step_workload=both,
        optimizer=optimizer,
        update=estimate(update, device.without_host(), 1),
        update_workload=update,
        state_bytes=(1 + moments) * parameters * size,
        read_again_bytes=again * size,
    )


def update_workload(workload: Workload, optimizer: OptimizerName) -> Workload:
    """The update of all parameters as one element-wise kernel.

    Args:
        workload: of inference.
        optimizer: "sgd", "momentum" or "adam".
    """
    moments, parameters = MOMENTS[optimizer], workload.parameters
    update = np.zeros(1, workload.kernels.dtype)
    update["name"], update["kind"], update["groups"] = "update", VECTOR, 1
    update["read_elements"] = (2 + moments) * parameters
    update["written_elements"] = (1 + moments) * parameters
    update["vector_ops"] = _STEPS[optimizer] * parameters
    update["m"], update["n"] = 1, max(parameters, 1)
    return Workload(update, workload.fusion)


def _input_gradient(row: NDArray[Any], what: str = "input") -> NDArray[Any]:
    """Reads the gradient of the outputs and what they were, writes the gradient of the inputs."""
    gradient = row.copy()
    gradient["name"] = f"{row['name'][0]}_{what}_gradient"
    gradient["read_elements"] = 2 * row["written_elements"]
    gradient["written_elements"] = row["read_elements"]
    gradient["live_elements"] += row["written_elements"] + row["read_elements"]
    gradient["parameters"] = 0
    if row["kind"][0] == MATRIX:
        gradient["k"], gradient["n"] = row["n"], row["k"]
    return gradient


def _weight_gradient(row: NDArray[Any]) -> NDArray[Any]:
    """Reads the inputs and the gradient of the outputs, writes a gradient as large as the weights."""
    gradient = row.copy()
    gradient["name"] = f"{row['name'][0]}_weight_gradient"
    gradient["read_elements"] = row["read_elements"] + row["written_elements"]
    gradient["written_elements"] = 0
    gradient["live_elements"] += row["written_elements"]
    gradient["parameters"] = 0
    gradient["vector_ops"] = gradient["input_vector_ops"] = 0
    return gradient
