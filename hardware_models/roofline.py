"""The roofline: how long a chip takes for a workload, what energy and how much memory.

One set of equations for TPU, GPU and edge; n images a batch, every kernel one fused group:
- a matrix product is cut into tiles, dealt to the matrix engines in waves;
- depthwise convolutions and element-wise steps run on the vector unit;
- channels are padded to its lanes, in time and in memory, by the share of the padding that a compiler leaves;
- the part of the activations that fits on the chip stays there, weights stream unless there is a cache for
  them, the rest moves at off-chip bandwidth. What must fit is a kernel's input and output for as many examples
  as are on the chip at once: the batch on GPUs, one image on TPUs, where at 112 x 112 pixels, whatever the
  batch, an element costs several times what it costs at 56 x 56;
- a kernel takes max(compute, memory) + (1 - overlap) min(compute, memory) + overhead;
- a network takes (host^4 + (sum of its kernels)^4)^(1/4), where the sum also has the weights that are beyond
  the weight cache;
- energy is multiply-adds and vector steps, bytes of each level, and static power for as long as it takes.

The network's figures follow from sums over its kernels alone, and one maximum, so they can be tabulated.
Peak, intensity and ideal rate are those of Williams et al. 2009 as used by Li et al. 2021 (EfficientNet-X).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autoglyph.hardware_models.device import Constants, Device, Figures
from autoglyph.hardware_models.kernels import DEPTHWISE, MATRIX
from autoglyph.hardware_models.workload import Workload

Floats = NDArray[np.float64]
Number = float | Floats


class Chip(NamedTuple):
    """Figures of the cores in use in SI units; arrays of shape (devices, 1) for several devices."""

    clock_hz: Number
    engines: Number
    macs_per_cycle: Number  # of one engine, as it is reached
    tile_m: Number
    tile_n: Number
    tile_k: Number
    fill_cycles: Number
    vector_steps_per_cycle: Number
    depthwise_macs_per_cycle: Number
    depthwise_traffic: Number
    lanes: Number
    lane_padding: Number  # share of the padding that costs
    element_bytes: Number
    off_chip_bytes_per_s: Number
    on_chip_bytes_per_s: Number
    on_chip_bytes: Number
    examples_on_chip: Number
    weight_cache_bytes: Number
    overlap: Number
    overhead_s: Number
    host_s_per_example: Number
    mac_j: Number
    on_chip_j_per_byte: Number
    off_chip_j_per_byte: Number
    static_w: Number


class KernelCosts(NamedTuple):
    """Costs of kernels for one batch: arrays of shape (kernels,), or (devices, kernels).

    Attributes:
        compute_s: time of the matrix and vector units.
        memory_s: time of the memories.
        total_s: with what overlaps and the overhead.
        dynamic_j: energy apart from static power.
        off_chip_bytes: bytes from and to the memory or the host.
    """

    compute_s: Floats
    memory_s: Floats
    total_s: Floats
    dynamic_j: Floats
    off_chip_bytes: Floats


class NetworkCosts(NamedTuple):
    """Costs of networks for one batch: numbers, or arrays of the shape of the sums they follow from.

    Attributes:
        latency_s: from the start of the batch to its end.
        energy_j: of the batch.
        peak_bytes: weights and the most activations that are kept at once.
    """

    latency_s: Any
    energy_j: Any
    peak_bytes: Any


def chip_of(device: Device) -> Chip:
    """Figures of the cores in use with the constants of the model applied."""
    return chip_from(device.figures, device.model, cores=device.cores, element_bytes=device.element_bytes)


def chip_from(figures: Figures, model: Constants, *, cores: int, element_bytes: int) -> Chip:
    """Figures of the cores in use with the constants of the model applied.

    Args:
        figures: of the chip; arrays of one shape for several chips.
        model: constants; arrays of that shape for several chips.
        cores: how many of the chip's cores run the network.
        element_bytes: bytes of an activation or a weight.
    """
    share = cores / figures.cores_per_chip
    vector = cores * figures.vector_macs_per_cycle_per_core
    bandwidth = figures.off_chip_bandwidth_gb_per_s * 1e9 * share
    return Chip(
        clock_hz=figures.clock_ghz * 1e9,
        engines=cores * figures.matrix_engines_per_core,
        macs_per_cycle=figures.macs_per_cycle_per_engine * model.matrix_efficiency,
        tile_m=figures.tile_m,
        tile_n=figures.tile_n,
        tile_k=figures.tile_k,
        fill_cycles=model.tile_fill_cycles,
        vector_steps_per_cycle=vector * model.vector_efficiency,
        depthwise_macs_per_cycle=vector * model.depthwise_efficiency,
        depthwise_traffic=model.depthwise_traffic_ratio,
        lanes=figures.vector_lanes,
        lane_padding=model.lane_padding_share,
        element_bytes=element_bytes,
        off_chip_bytes_per_s=bandwidth * model.bandwidth_efficiency,
        on_chip_bytes_per_s=bandwidth * model.on_chip_bandwidth_ratio,
        on_chip_bytes=figures.on_chip_mib * 2**20 * share * model.on_chip_share,
        examples_on_chip=model.examples_on_chip,
        weight_cache_bytes=figures.weight_cache_mib * 2**20 * share,
        overlap=model.overlap,
        overhead_s=model.kernel_overhead_us * 1e-6,
        host_s_per_example=model.host_us_per_example * 1e-6,
        mac_j=figures.mac_pj * 1e-12,
        on_chip_j_per_byte=figures.on_chip_pj_per_byte * 1e-12,
        off_chip_j_per_byte=figures.off_chip_pj_per_byte * 1e-12,
        static_w=figures.static_w * share,
    )


def chips_of(devices: Sequence[Device]) -> Chip:
    """Figures of several devices side by side, to cost a workload on all of them at once."""
    return Chip(*(np.array(column, float)[:, None] for column in zip(*map(chip_of, devices), strict=True)))


class KernelSizes(NamedTuple):
    """What the costs of kernels depend on: (kernels,) arrays named as in `kernels.KERNEL`, "kind" of integers."""

    kind: NDArray[Any]
    m: Floats
    k: Floats
    n: Floats
    groups: Floats
    read_elements: Floats
    written_elements: Floats
    weight_elements: Floats
    vector_ops: Floats
    input_vector_ops: Floats
    madds: Floats


def kernel_sizes(kernels: NDArray[Any]) -> KernelSizes:
    """Sizes of the kernels of a structured array, as in `kernels.KERNEL`."""
    kind, *others = KernelSizes._fields
    return KernelSizes(kernels[kind], *(kernels[field].astype(float) for field in others))


def kernel_costs(kernels: NDArray[Any], chip: Chip, batch: int) -> KernelCosts:
    """Costs of kernels, each by itself.

    Args:
        kernels: (kernels,) structured array, as in `kernels.KERNEL`.
        chip: one device, or several side by side.
        batch: examples.
    """
    return costs_of_sizes(kernel_sizes(kernels), chip, batch)


def costs_of_sizes(sizes: KernelSizes, chip: Chip, batch: int) -> KernelCosts:
    """Costs of kernels, each by itself.

    Args:
        sizes: of the kernels.
        chip: one device, several side by side, or one for each kernel as (kernels,) arrays.
        batch: examples.
    """
    kind, m, k, n, groups, read, written, weights, steps, input_steps, madds = sizes
    m = m * batch
    tiles = groups * np.ceil(m / chip.tile_m) * np.ceil(n / chip.tile_n)
    macs_of_tile = chip.tile_m * chip.tile_n * _padded(k, chip.tile_k)
    matrix_cycles = np.ceil(tiles / chip.engines) * (macs_of_tile / chip.macs_per_cycle + chip.fill_cycles)
    channels = n * groups
    output_padding = _lanes_per_channel(channels, chip)
    reduction_padding = _lanes_per_channel(np.maximum(k, 1), chip)
    depthwise_cycles = m * k * channels * output_padding / chip.depthwise_macs_per_cycle
    vector_steps = steps * output_padding + input_steps * reduction_padding
    cycles = (
        np.where(kind == MATRIX, matrix_cycles, 0.0)
        + np.where(kind == DEPTHWISE, depthwise_cycles, 0.0)
        + batch * vector_steps / chip.vector_steps_per_cycle
    )
    compute_s = cycles / chip.clock_hz

    input_padding = np.where(kind == MATRIX, reduction_padding, output_padding)
    example_bytes = (read * input_padding + written * output_padding) * chip.element_bytes
    resident_bytes = example_bytes * np.minimum(chip.examples_on_chip, batch)
    kept = np.clip(2.0 - resident_bytes / np.maximum(chip.on_chip_bytes, 1e-300), 0.0, 1.0)
    activation_bytes = example_bytes * batch * np.where(kind == DEPTHWISE, chip.depthwise_traffic, 1.0)
    weight_bytes = weights * chip.element_bytes
    streams = np.equal(chip.weight_cache_bytes, 0.0)
    off_chip_bytes = activation_bytes * (1 - kept) + weight_bytes * streams
    on_chip_bytes = activation_bytes * kept + weight_bytes * ~streams
    memory_s = off_chip_bytes / chip.off_chip_bytes_per_s + on_chip_bytes / chip.on_chip_bytes_per_s
    longer, shorter = np.maximum(compute_s, memory_s), np.minimum(compute_s, memory_s)
    dynamic_j = (
        (madds + steps + input_steps) * batch * chip.mac_j
        + off_chip_bytes * chip.off_chip_j_per_byte
        + (activation_bytes + weight_bytes) * chip.on_chip_j_per_byte
    )
    return KernelCosts(
        compute_s=compute_s,
        memory_s=memory_s,
        total_s=longer + (1 - chip.overlap) * shorter + chip.overhead_s,
        dynamic_j=dynamic_j,
        off_chip_bytes=off_chip_bytes,
    )


def network_costs(
    kernels_s: Number, kernels_j: Number, weight_elements: Number, live_elements: Number, chip: Chip, batch: int
) -> NetworkCosts:
    """Costs of networks from the sums over their kernels.

    Args:
        kernels_s: sum of the kernels' times.
        kernels_j: sum of the kernels' energies.
        weight_elements: sum of their weights.
        live_elements: most activations that are kept at once for one example.
        chip: one device, or several side by side.
        batch: examples.
    """
    weight_bytes = weight_elements * chip.element_bytes
    streams = np.equal(chip.weight_cache_bytes, 0.0)
    beyond = np.maximum(weight_bytes - chip.weight_cache_bytes, 0.0) * ~streams
    sum_s = kernels_s + beyond / chip.off_chip_bytes_per_s
    host_s = chip.host_s_per_example * batch
    latency_s = np.sqrt(np.sqrt(_fourth_power(host_s) + _fourth_power(sum_s)))
    energy_j = kernels_j + beyond * chip.off_chip_j_per_byte + chip.static_w * latency_s
    peak_bytes = weight_bytes + live_elements * batch * chip.element_bytes
    return NetworkCosts(latency_s, energy_j, peak_bytes)


def _padded(size: Number, unit: Number) -> Any:
    return np.ceil(size / unit) * unit


def _lanes_per_channel(channels: Floats, chip: Chip) -> Any:
    """Channels with the padding that costs, for one channel."""
    return 1.0 + chip.lane_padding * (_padded(channels, chip.lanes) / channels - 1.0)


def _fourth_power(x: Any) -> Any:
    square = x * x
    return square * square


@dataclass(frozen=True, eq=False)
class Cost:
    """What one batch of a network costs on a device.

    Attributes:
        device: name of the device.
        unit: whether that is a core, a chip or a part of a chip.
        batch: examples in the batch.
        latency_s: time of the batch.
        energy_j: energy of the batch.
        peak_bytes: all weights, and the most activations that are kept at once: inputs and outputs of the
            kernel that runs and what later kernels still need.
        madds: multiply-adds of one example.
        parameters: trainable weight elements.
        activations: elements that convolutions and matrix products put out for one example.
        host_s: time the host needs to feed the batch.
        weight_streaming_s: time for the weights beyond the weight cache.
        peak_ops_per_s: peak of the cores in use, two operations a multiply-add.
        ideal_ops_per_s: what peak and bandwidth allow at this operational intensity.
        operational_intensity_ops_per_byte: operations a byte from and to the memory or the host.
        names: of the kernels, shape (kernels,).
        compute_s: of the kernels.
        memory_s: of the kernels.
        kernels_s: of the kernels in all.
        bound: what each kernel waits for, "compute", "memory" or "overhead".
    """

    device: str
    unit: str
    batch: int
    latency_s: float
    energy_j: float
    peak_bytes: float
    madds: int
    parameters: int
    activations: int
    host_s: float
    weight_streaming_s: float
    peak_ops_per_s: float
    ideal_ops_per_s: float
    operational_intensity_ops_per_byte: float
    names: NDArray[Any]
    compute_s: Floats
    memory_s: Floats
    kernels_s: Floats
    bound: NDArray[np.str_]

    @property
    def examples_per_s(self) -> float:
        """Throughput of batches one after the other."""
        return self.batch / self.latency_s

    @property
    def achieved_ops_per_s(self) -> float:
        """Operations of convolutions and matrix products by the time taken."""
        return 2.0 * self.madds * self.batch / self.latency_s

    @property
    def utilisation(self) -> float:
        """Achieved share of the peak."""
        return self.achieved_ops_per_s / self.peak_ops_per_s

    @property
    def efficiency(self) -> float:
        """Achieved share of the ideal rate."""
        return self.achieved_ops_per_s / self.ideal_ops_per_s


def estimate(workload: Workload, device: Device, batch: int | None = None) -> Cost:
    """What a workload costs on a device.

    Args:
        workload: kernels of the network.
        device: where it runs.
        batch: examples at once; None for the device's usual batch.

    Raises:
        ValueError: if the batch is not positive or the workload is empty.
    """
    size = device.batch if batch is None else batch
    if size < 1:
        raise ValueError(f"batch is {size}; give 1 or more.")
    kernels, chip = workload.kernels, chip_of(device)
    if not len(kernels):
        raise ValueError("The workload has no kernels; record a network with at least one operation.")
    costs = kernel_costs(kernels, chip, size)
    weights = float(kernels["weight_elements"].sum())
    network = network_costs(
        costs.total_s.sum(), costs.dynamic_j.sum(), weights, float(kernels["live_elements"].max()), chip, size
    )
    weight_bytes = weights * device.element_bytes
    cache = float(chip.weight_cache_bytes)
    beyond = max(weight_bytes - cache, 0.0) if cache else 0.0
    off_chip = float(costs.off_chip_bytes.sum()) + beyond
    operations = 2.0 * workload.madds * size
    intensity = operations / off_chip if off_chip else float("inf")
    overhead = float(chip.overhead_s)
    longer = np.maximum(costs.compute_s, costs.memory_s)
    bound = np.where(costs.compute_s >= costs.memory_s, "compute", "memory")
    return Cost(
        device=device.name,
        unit=device.unit,
        batch=size,
        latency_s=float(network.latency_s),
        energy_j=float(network.energy_j),
        peak_bytes=float(network.peak_bytes),
        madds=workload.madds,
        parameters=workload.parameters,
        activations=workload.activations,
        host_s=float(chip.host_s_per_example) * size,
        weight_streaming_s=beyond / float(chip.off_chip_bytes_per_s),
        peak_ops_per_s=device.peak_ops_per_s,
        ideal_ops_per_s=min(intensity * device.bandwidth_bytes_per_s, device.peak_ops_per_s),
        operational_intensity_ops_per_byte=intensity,
        names=kernels["name"],
        compute_s=costs.compute_s,
        memory_s=costs.memory_s,
        kernels_s=costs.total_s,
        bound=np.where(longer < overhead, "overhead", bound),
    )
