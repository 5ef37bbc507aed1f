"""What training a recorded network costs on a mesh of chips: data parallelism, split channels, or both.

A workload is a table of kernels, so two named dimensions are well defined for all of them:
- batch: every chip has a part of the examples and all weights; gradients of the weights are all-reduced;
- channels: the output channels of every kernel, with their weights. Depthwise convolutions and element-wise work
  stay where their channels are; a matrix product reads all channels, so its input is all-gathered before it and
  the gradient of its input is reduce-scattered behind it.
Rows and columns of images are not: the table has positions, not their arrangement or the windows over them, from
which the borders to exchange would follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.hardware_models.device import Device
from autoglyph.hardware_models.kernels import MATRIX
from autoglyph.hardware_models.parallel.link import Link, all_gather_bytes, all_reduce_bytes
from autoglyph.hardware_models.parallel.pipeline import state_elements, training_times
from autoglyph.hardware_models.workload import Workload
from autoglyph.search_spaces.mesh_layouts import Layout, Mesh, check_names, processors

DIMS = ("batch", "channels")
_WITHOUT_BORDERS = ("rows", "columns")


@dataclass(frozen=True)
class MeshCost:
    """One training step of a network on a mesh, for one of its equal chips.

    Attributes:
        device: name of the chips.
        chips: how many.
        batch: examples in the step, over all chips.
        compute_s: time of its kernels, forward and backward.
        communication_s: time of its collectives, which overlap with nothing.
        gradient_bytes: sent to all-reduce the gradients of the weights.
        channel_bytes: sent to gather inputs and to scatter their gradients where channels are split.
        state_bytes: weights, gradients and optimizer state.
        activation_bytes: what its kernels write, all kept for the backward pass.
        single_device_s: time of the same step on one chip.
        single_device_bytes: memory that one chip would need for it.
    """

    device: str
    chips: int
    batch: int
    compute_s: float
    communication_s: float
    gradient_bytes: float
    channel_bytes: float
    state_bytes: float
    activation_bytes: float
    single_device_s: float
    single_device_bytes: float

    @property
    def step_s(self) -> float:
        """Compute and communication one after the other."""
        return self.compute_s + self.communication_s

    @property
    def speedup(self) -> float:
        """Over one chip."""
        return self.single_device_s / self.step_s

    @property
    def communication_bytes(self) -> float:
        """Sent by one chip."""
        return self.gradient_bytes + self.channel_bytes

    @property
    def memory_bytes(self) -> float:
        """Kept by one chip."""
        return self.state_bytes + self.activation_bytes


def estimate_workload_layout(
    workload: Workload,
    device: Device,
    mesh: Mesh,
    layout: Layout,
    *,
    batch: int | None = None,
    link: Link | None = None,
) -> MeshCost:
    """What a training step of a network costs under a layout of its batch and channels.

    The exchange of the loss over split classes is left out: a few numbers for each example.

    Args:
        workload: kernels of the network.
        device: one of the equal chips.
        mesh: sizes of the mesh dimensions by name.
        layout: mesh dimension of "batch", of "channels", or of both.
        batch: examples over all chips; None for the device's usual batch.
        link: along every mesh dimension; None for the default one.

    Raises:
        ValueError: if the layout is illegal for this network.
    """
    for dim in layout:
        if dim in _WITHOUT_BORDERS:
            raise ValueError(
                f"Splitting {dim} of a recorded network is not estimated, its kernels do not tell their windows: "
                f"split batch or channels."
            )
    check_names(layout, mesh, DIMS)
    if len(layout) == 2 and layout["batch"] == layout["channels"]:
        raise ValueError(
            f"Every activation has both batch and channels, which the layout splits over the same mesh dimension "
            f"{layout['batch']}: move one of them or leave it whole."
        )
    size, wire, element = device.batch if batch is None else batch, link or Link(), device.element_bytes
    by_batch, by_channels = (mesh[layout[dim]] if dim in layout else 1 for dim in DIMS)
    if size < 1 or size % by_batch:
        raise ValueError(f"A batch of {size} does not split over {by_batch} chips: give a multiple of {by_batch}.")
    local_batch = size // by_batch
    local = Workload(_local_kernels(workload.kernels, by_channels), workload.fusion)
    forward_s, backward_s = training_times(local, device, local_batch)

    gradient_bytes = float(all_reduce_bytes(local.parameters * element, by_batch))
    gathered = gathered_elements(workload.kernels) * local_batch * element
    channel_bytes = float(2 * all_gather_bytes(gathered, by_channels).sum())
    exchanges = 2 * np.count_nonzero(gathered)
    communication_s = float(
        wire.transfer_s(gradient_bytes, 2 * (by_batch - 1))
        + wire.transfer_s(channel_bytes, exchanges * (by_channels - 1))
    )
    alone = training_times(workload, device, size)
    return MeshCost(
        device=device.name,
        chips=processors(mesh),
        batch=size,
        compute_s=float(forward_s.sum() + backward_s.sum()),
        communication_s=communication_s,
        gradient_bytes=gradient_bytes,
        channel_bytes=channel_bytes,
        state_bytes=float(state_elements(local.kernels).sum()) * element,
        activation_bytes=float(local.kernels["written_elements"].sum()) * local_batch * element,
        single_device_s=float(alone[0].sum() + alone[1].sum()),
        single_device_bytes=float(
            state_elements(workload.kernels).sum() + workload.kernels["written_elements"].sum() * size
        )
        * element,
    )


def gathered_elements(kernels: NDArray[Any]) -> NDArray[np.int64]:
    """(kernels,) elements of one example whose channels a kernel needs all of, 0 for the first one's images.

    For a matrix product it is its input: what it reads, but no more than positions times reduction, so that a
    skip connection that is added to the output of a 1 x 1 convolution is not counted.
    """
    reads_all = (kernels["kind"] == MATRIX) & (kernels["groups"] == 1)
    reads_all[:1] = False
    inputs = np.minimum(kernels["read_elements"], kernels["m"] * kernels["k"])
    return np.where(reads_all, inputs, 0)


def _local_kernels(kernels: NDArray[Any], parts: int) -> NDArray[Any]:
    """The kernels of one of so many chips that share the output channels, rounded up to whole elements."""
    if parts == 1:
        return kernels
    local = kernels.copy()
    for at, kernel in enumerate(kernels):
        split = "n" if kernel["groups"] == 1 else "groups"
        if kernel[split] % parts:
            what = "output channels" if split == "n" else "groups of channels"
            raise ValueError(
                f"The kernel {kernel['name']} has {kernel[split]} {what}, which do not divide by {parts}: split "
                f"channels over a smaller mesh dimension."
            )
        local[split][at] = kernel[split] // parts
    whole_input = (kernels["kind"] == MATRIX) & (kernels["groups"] == 1)
    for field in ("written_elements", "weight_elements", "vector_ops", "madds", "parameters", "live_elements"):
        local[field] = -(-kernels[field] // parts)
    for field in ("read_elements", "input_vector_ops"):
        local[field] = np.where(whole_input, kernels[field], -(-kernels[field] // parts))
    return local
