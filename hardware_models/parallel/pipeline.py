"""Pipelined training on several chips: time, idle share, traffic and memory (GPipe, Huang et al. 2019).

The kernels are cut in K consecutive stages, one a chip, and the batch in M micro-batches. Activations are kept
at the cuts alone and the rest is computed again in the backward pass, so a chip keeps the batch N times what
enters it and N / M times what its own layers write: O(N + (L / K) (N / M)) instead of O(N L).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.hardware_models.device import Device
from autoglyph.hardware_models.kernels import VECTOR
from autoglyph.hardware_models.parallel.link import Link
from autoglyph.hardware_models.parallel.pipeline_schedule import Schedule, best_partition, simulate
from autoglyph.hardware_models.roofline import chip_of, kernel_costs
from autoglyph.hardware_models.workload import Workload

Floats = NDArray[np.float64]

COPIES_OF_PARAMETERS = 2
"""Beside a trainable weight: its gradient and one moment of the optimizer (momentum), at the device's precision."""


@dataclass(frozen=True)
class StageCost:
    """One stage of a pipeline.

    Attributes:
        first: number of its first kernel.
        kernels: how many kernels it has.
        name: of its first kernel.
        forward_s: of one micro-batch.
        backward_s: of one micro-batch, without re-computation.
        input_bytes: what enters it for the whole batch, skip connections included.
        state_bytes: weights, gradients and optimizer state.
        memory_bytes: all it keeps at most, as the pipeline runs.
        memory_without_recomputation_bytes: the same if all activations were kept.
    """

    first: int
    kernels: int
    name: str
    forward_s: float
    backward_s: float
    input_bytes: float
    state_bytes: float
    memory_bytes: float
    memory_without_recomputation_bytes: float


@dataclass(frozen=True, eq=False)
class PipelineCost:
    """One training step on a pipeline of equal chips.

    Attributes:
        device: name of the chips.
        stages: from the input to the output.
        micro_batches: parts of the batch.
        batch: examples in the step.
        recomputation: whether activations between the cuts are computed again.
        schedule: when each stage works.
        step_s: time of the step.
        single_device_s: time of the same step on one chip, the whole batch at once, nothing computed again.
        single_device_bytes: what that chip would have to keep.
        bubble: share of the stages' time in which they idle.
        transferred_bytes: over all links, activations and their gradients.
    """

    device: str
    stages: tuple[StageCost, ...]
    micro_batches: int
    batch: int
    recomputation: bool
    schedule: Schedule
    step_s: float
    single_device_s: float
    single_device_bytes: float
    bubble: float
    transferred_bytes: float

    @property
    def speedup(self) -> float:
        """Over one chip."""
        return self.single_device_s / self.step_s

    @property
    def memory_bytes(self) -> float:
        """Of the stage that needs most."""
        return max(stage.memory_bytes for stage in self.stages)

    @property
    def memory_without_recomputation_bytes(self) -> float:
        """Of the stage that would need most if all activations were kept."""
        return max(stage.memory_without_recomputation_bytes for stage in self.stages)


def training_times(workload: Workload, device: Device, batch: int) -> tuple[Floats, Floats]:
    """Forward and backward time of every kernel.

    Forward is inference on the roofline. Backward is twice as long where there is a matrix product or a
    convolution, once for the gradient of its input and once for that of its weights, and as long as forward
    for element-wise work.

    Args:
        workload: kernels of the network.
        device: where they run.
        batch: examples at once.

    Returns:
        (kernels,) forward and (kernels,) backward, seconds.
    """
    forward_s = kernel_costs(workload.kernels, chip_of(device), batch).total_s
    return forward_s, forward_s * np.where(workload.kernels["kind"] == VECTOR, 1.0, 2.0)


def state_elements(kernels: NDArray[Any]) -> Floats:
    """(kernels,) elements of weights, gradients and optimizer state."""
    return np.asarray(kernels["weight_elements"] + COPIES_OF_PARAMETERS * kernels["parameters"], np.float64)


def border_elements(workload: Workload) -> Floats:
    """(kernels,) activations of one example that a cut before each kernel would have to move.

    It is all that this kernel or a later one still reads, so skip connections across the cut count.
    """
    return np.asarray(workload.kernels["live_elements"] - workload.kernels["written_elements"], np.float64)


def estimate_pipeline(
    workload: Workload,
    device: Device,
    *,
    stages: int,
    micro_batches: int,
    batch: int | None = None,
    link: Link | None = None,
    recomputation: bool = True,
    early_recomputation: bool = False,
) -> PipelineCost:
    """What a pipelined training step costs, with the cuts that make the slowest stage fastest.

    Activations are what the kernels write. The input pipeline, the update of the weights and the sum of the
    gradients over micro-batches take no time here.

    Args:
        workload: kernels of the network.
        device: one of the equal chips.
        stages: K, chips in the pipeline.
        micro_batches: M, parts of the batch.
        batch: examples in a step; None for the device's usual batch.
        link: between neighbours; None for the default one.
        recomputation: whether to keep activations at the cuts alone.
        early_recomputation: whether a stage re-computes while it waits for the gradient.

    Raises:
        ValueError: if there are more stages than kernels, or the batch does not split in micro-batches.
    """
    size = device.batch if batch is None else batch
    if not 1 <= stages <= len(workload):
        raise ValueError(f"{len(workload)} kernels cannot be {stages} stages: give 1 to {len(workload)} stages.")
    if micro_batches < 1:
        raise ValueError(f"micro_batches is {micro_batches}: give 1 or more.")
    if size < 1 or size % micro_batches:
        raise ValueError(
            f"A batch of {size} does not split in {micro_batches} micro-batches: give a multiple of {micro_batches}."
        )
    wire = link or Link()
    micro = size // micro_batches
    forward_s, backward_s = training_times(workload, device, micro)
    again_s = forward_s if recomputation else np.zeros_like(forward_s)
    borders = border_elements(workload)
    starts = best_partition(forward_s + again_s + backward_s, stages, borders)
    bounds = [*zip(starts, [*starts[1:], len(workload)], strict=True)]

    def by_stage(values: Floats) -> list[float]:
        return [float(values[first:end].sum()) for first, end in bounds]

    element = device.element_bytes
    written = [value * element for value in by_stage(workload.kernels["written_elements"])]
    state = [value * element for value in by_stage(state_elements(workload.kernels))]
    entering = [float(borders[first]) * element for first in starts]
    schedule = simulate(
        by_stage(forward_s),
        by_stage(backward_s),
        micro_batches,
        recomputation_s=by_stage(again_s),
        transfers_s=[float(wire.transfer_s(bytes_ * micro)) for bytes_ in entering[1:]],
        early_recomputation=early_recomputation,
    )
    costs = tuple(
        StageCost(
            first=first,
            kernels=end - first,
            name=str(workload.kernels["name"][first]),
            forward_s=forward,
            backward_s=backward,
            input_bytes=entering[i] * size,
            state_bytes=state[i],
            memory_bytes=state[i] + entering[i] * size + written[i] * (micro if recomputation else size),
            memory_without_recomputation_bytes=state[i] + (entering[i] + written[i]) * size,
        )
        for i, ((first, end), forward, backward) in enumerate(
            zip(bounds, by_stage(forward_s), by_stage(backward_s), strict=True)
        )
    )
    alone = training_times(workload, device, size)
    return PipelineCost(
        device=device.name,
        stages=costs,
        micro_batches=micro_batches,
        batch=size,
        recomputation=recomputation,
        schedule=schedule,
        step_s=schedule.step_s,
        single_device_s=float(alone[0].sum() + alone[1].sum()),
        single_device_bytes=sum(state) + (entering[0] + sum(written)) * size,
        bubble=schedule.bubble,
        transferred_bytes=2 * size * sum(entering[1:]),
    )
