"""Small networks and chips whose costs can be worked out by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autoglyph.hardware_models.device import Constants, Device, Figures
from autoglyph.hardware_models.kernels import KERNEL
from autoglyph.hardware_models.workload import Workload
from autoglyph.search_spaces.architecture import Segment
from autoglyph.search_spaces.net import Net, Tensor


class OneSegment:
    """What `record` needs of an architecture: here one segment that a function writes."""

    def __init__(self, write: Callable[[Net], Tensor]) -> None:
        self._write = write

    def segments(self) -> Sequence[Segment]:
        return [Segment("net", (), lambda net, _: self._write(net))]

    def part(self, path: str) -> Any:
        raise AssertionError("no segment has parts")


def residual_with_gate(net: Net) -> Tensor:
    """Convolution, depthwise convolution, squeeze-and-excitation, projection, skip and classifier."""
    x = net.input((8, 8, 4))
    y = net.activation(net.norm(net.conv(x, 4, 3)), "relu")
    d = net.activation(net.norm(net.depthwise_conv(y, 3), name="dnorm"), "swish", name="dswish")
    pooled = net.global_pool(d, keep_dimensions=True, name="squeeze")
    gate = net.activation(net.conv(pooled, 4, 1, use_bias=True, name="excite"), "sigmoid", name="gate")
    projected = net.norm(net.conv(net.multiply(d, gate), 4, 1, name="project"), name="pnorm")
    projected = net.dropout(projected, 0.1, per_example=True)
    return net.dense(net.global_pool(net.add(projected, y), name="pool"), 10)


FIGURES = Figures(
    clock_ghz=1.0,
    cores_per_chip=2,
    matrix_engines_per_core=2,
    macs_per_cycle_per_engine=16,
    peak_tera_ops_per_s=0.128,
    tile_m=4,
    tile_n=4,
    tile_k=4,
    vector_macs_per_cycle_per_core=8,
    vector_lanes=8,
    off_chip_bandwidth_gb_per_s=2.0,
    off_chip_gib=1.0,
    on_chip_mib=0.001,
    weight_cache_mib=0.0,
    mac_pj=1.0,
    on_chip_pj_per_byte=2.0,
    off_chip_pj_per_byte=100.0,
    static_w=4.0,
)
CONSTANTS = Constants(
    matrix_efficiency=0.5,
    depthwise_efficiency=0.25,
    vector_efficiency=0.5,
    bandwidth_efficiency=0.8,
    depthwise_traffic_ratio=3.0,
    on_chip_bandwidth_ratio=10.0,
    on_chip_share=0.0,
    examples_on_chip=1000.0,
    lane_padding_share=1.0,
    overlap=0.9,
    tile_fill_cycles=2.0,
    kernel_overhead_us=0.1,
    host_us_per_example=0.0,
)


def device(figures: dict[str, Any] | None = None, constants: dict[str, Any] | None = None) -> Device:
    """One core of a small made-up chip."""
    return Device(
        name="small",
        title="A small chip",
        family="tpu",
        precision="bf16",
        cores=1,
        fusion="chain",
        batch=3,
        figures=dataclasses.replace(FIGURES, **(figures or {})),
        model=dataclasses.replace(CONSTANTS, **(constants or {})),
    )


def workload(*kernels: dict[str, Any]) -> Workload:
    """A workload of kernels given by their fields."""
    array = np.zeros(len(kernels), KERNEL)
    array["m"], array["n"], array["groups"] = 1, 1, 1
    for at, kernel in enumerate(kernels):
        for field, value in kernel.items():
            array[at][field] = value
    return Workload(array, "eager")
