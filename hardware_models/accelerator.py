"""From the parameters of an edge accelerator to a device of the roofline model, one or thousands at once.

Mapping. A matrix product is cut into tiles of one cycle a dot product: output positions are dealt to the PEs along
x and to the lanes of each, output channels to the PEs along y and to the SIMD units of each lane, and a unit adds
a four-way dot product a cycle. The grid works on one tile at a time (tile_m = pes_x x lanes, tile_n = pes_y x
SIMD units, tile_k = 4), so more of anything never costs cycles. Weights are read anew for every register block of
output positions, which costs fill cycles and energy that larger register files spread over more positions.
Depthwise and element-wise work takes one step a SIMD unit and cycle: inputs that differ by unit come one by one.
Each PE brings its own port to its memory. Three quarters of the memory keep weights between runs, as in the fit of
the Coral Edge TPU (6.2 of 8 MB), the rest keeps activations.

Energy is that of multiply-adds with their registers, of local memory and of I/O, where a byte of a memory costs
energy with the square root of its size; area is a sum over multipliers, memories, register files, PEs, lanes and
I/O. The constants are orders of magnitude, recalled or assumed as `SOURCES` says, none is of a real chip.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoglyph.hardware_models.device import ELEMENT_BYTES, Constants, Device, Figures
from autoglyph.hardware_models.roofline import Chip, chip_from
from autoglyph.search_spaces.accelerator import (
    CLOCK_GHZ,
    DOT_PRODUCT_WAYS,
    REGISTER_BLOCK_ROWS,
    Accelerator,
    Columns,
    check_valid,
    macs_per_cycle,
    peak_ops_per_s,
    register_block_rows,
)

PREFIX = "accelerator:"

MATRIX_EFFICIENCY = 0.66
BANDWIDTH_EFFICIENCY = 0.92
PORT_BYTES_PER_CYCLE = 64
LANE_PADDING_SHARE = 0.25
OVERLAP = 0.95
KERNEL_OVERHEAD_US = 1.0
WEIGHT_FILL_CYCLES = 64
WEIGHT_SHARE = 0.75

MAC_PJ = 0.06
SRAM_PJ_PER_BYTE_AT_32_KB = 0.5
REGISTER_BYTES_PER_MAC = 2.0
OFF_CHIP_PJ_PER_BYTE = 100.0
STATIC_W_PER_MM2 = 0.01

MAC_MM2 = 1e-4
SRAM_MM2_PER_MB = 1.0
REGISTER_MM2_PER_MB = 3.0
PE_MM2 = 0.1
LANE_MM2 = 0.02
IO_MM2_PER_GB_PER_S = 0.3

_ASSUMPTION = "assumption; not calibrated"
_SPACE = "parameter of the accelerator"
_FIT = "assumption: that of the fit to Coral's benchmark page, another chip of the family"
_ENERGY = "recalled: Horowitz 2014 (45 nm), divided by 5 for a later process (assumption)"
SOURCES = {
    "clock_ghz": "recalled (Zhou et al. 2021); reproduces 26.2 tera-operations/s of the baseline",
    "cores_per_chip": "the chip works on one network",
    "matrix_engines_per_core": "the grid works on one tile at a time; assumption",
    "macs_per_cycle_per_engine": _SPACE,
    "peak_tera_ops_per_s": "computed from clock and multiply-adds a cycle",
    "tile_m": _SPACE,
    "tile_n": _SPACE,
    "tile_k": "four-way dot product, recalled (Zhou et al. 2021)",
    "vector_macs_per_cycle_per_core": "one step a SIMD unit and cycle; assumption",
    "vector_lanes": _SPACE,
    "off_chip_bandwidth_gb_per_s": _SPACE,
    "off_chip_gib": "assumption",
    "on_chip_mib": "a quarter of the local memories; assumption",
    "weight_cache_mib": "three quarters of the local memories, as 6.2 of 8 MB of the Coral Edge TPU; assumption",
    "mac_pj": f"8-bit multiply and 32-bit add, and the registers of a sum; {_ENERGY}",
    "on_chip_pj_per_byte": f"cache access, by the square root of the size; {_ENERGY}",
    "off_chip_pj_per_byte": "recalled: order of magnitude of mobile DRAM",
    "static_w": "assumption: 10 mW a mm2",
    "area_mm2": (
        "assumption for a process of about 16 nm: 100 um2 a multiplier, 1 mm2 a MB of memory, 3 mm2 a MB of registers, "
        "0.1 mm2 a PE, 0.02 mm2 a lane, 0.3 mm2 a GB/s of I/O"
    ),
    "matrix_efficiency": _FIT,
    "depthwise_efficiency": _ASSUMPTION,
    "vector_efficiency": _ASSUMPTION,
    "bandwidth_efficiency": _FIT,
    "depthwise_traffic_ratio": _ASSUMPTION,
    "on_chip_bandwidth_ratio": "64 bytes a cycle from each local memory; assumption",
    "on_chip_share": _ASSUMPTION,
    "examples_on_chip": "whole batches; assumption",
    "lane_padding_share": "assumption: activations are packed in memory, and some of them in the units",
    "overlap": _ASSUMPTION,
    "tile_fill_cycles": "64 cycles to change the weights, once a register block; assumption",
    "kernel_overhead_us": _ASSUMPTION,
    "host_us_per_example": "the input is in memory already; assumption",
}


def area_mm2(columns: Columns) -> Any:
    """Area of accelerators given by their parameters: a number, or an array where they are arrays."""
    pes = columns["pes_x"] * columns["pes_y"]
    lanes = pes * columns["compute_lanes"]
    return (
        macs_per_cycle(columns) * MAC_MM2
        + pes * (PE_MM2 + columns["local_memory_mb"] * SRAM_MM2_PER_MB)
        + lanes * (LANE_MM2 + columns["register_file_kb"] * (REGISTER_MM2_PER_MB / 1024))
        + columns["io_bandwidth_gb_per_s"] * IO_MM2_PER_GB_PER_S
    )


def figures_of(columns: Columns) -> Figures:
    """What the chips are: numbers, or arrays where the parameters are arrays."""
    c = columns
    pes = c["pes_x"] * c["pes_y"]
    units = pes * c["compute_lanes"] * c["simd_units"]
    memory_mib = pes * c["local_memory_mb"]
    bank_kb = c["register_file_kb"] / c["simd_units"]
    reads = 1.0 + REGISTER_BLOCK_ROWS / register_block_rows(c)
    return Figures(
        clock_ghz=CLOCK_GHZ,
        cores_per_chip=1,
        matrix_engines_per_core=1,
        macs_per_cycle_per_engine=macs_per_cycle(c),
        peak_tera_ops_per_s=peak_ops_per_s(c) / 1e12,
        tile_m=c["pes_x"] * c["compute_lanes"],
        tile_n=c["pes_y"] * c["simd_units"],
        tile_k=DOT_PRODUCT_WAYS,
        vector_macs_per_cycle_per_core=units,
        vector_lanes=c["simd_units"],
        off_chip_bandwidth_gb_per_s=c["io_bandwidth_gb_per_s"],
        off_chip_gib=1.0,
        on_chip_mib=memory_mib * (1 - WEIGHT_SHARE),
        weight_cache_mib=memory_mib * WEIGHT_SHARE,
        mac_pj=MAC_PJ + REGISTER_BYTES_PER_MAC * _sram_pj_per_byte(bank_kb),
        on_chip_pj_per_byte=_sram_pj_per_byte(c["local_memory_mb"] * 1024) * reads,
        off_chip_pj_per_byte=OFF_CHIP_PJ_PER_BYTE,
        static_w=STATIC_W_PER_MM2 * area_mm2(c),
    )


def constants_of(columns: Columns) -> Constants:
    """What the model assumes of the chips: numbers, or arrays where the parameters are arrays."""
    pes = columns["pes_x"] * columns["pes_y"]
    port_gb_per_s = PORT_BYTES_PER_CYCLE * CLOCK_GHZ
    return Constants(
        matrix_efficiency=MATRIX_EFFICIENCY,
        depthwise_efficiency=1.0,
        vector_efficiency=1.0,
        bandwidth_efficiency=BANDWIDTH_EFFICIENCY,
        depthwise_traffic_ratio=1.0,
        on_chip_bandwidth_ratio=pes * port_gb_per_s / columns["io_bandwidth_gb_per_s"],
        on_chip_share=1.0,
        examples_on_chip=1e6,
        lane_padding_share=LANE_PADDING_SHARE,
        overlap=OVERLAP,
        tile_fill_cycles=WEIGHT_FILL_CYCLES / register_block_rows(columns),
        kernel_overhead_us=KERNEL_OVERHEAD_US,
        host_us_per_example=0.0,
    )


def device_of(accelerator: Accelerator, name: str = "accelerator") -> Device:
    """The device that an accelerator is.

    Args:
        accelerator: a valid one.
        name: what the device is called.

    Raises:
        ValueError: if the accelerator breaks a rule, with its name.
    """
    check_valid(accelerator)
    c = accelerator.columns
    return Device(
        name=name,
        title=(
            f"Edge accelerator: {c['pes_x']} x {c['pes_y']} PEs of {c['compute_lanes']} lanes of "
            f"{c['simd_units']} units, "
            f"{c['local_memory_mb']:g} MB and {c['register_file_kb']} KB, {c['io_bandwidth_gb_per_s']:g} GB/s"
        ),
        family="edge",
        precision="int8",
        cores=1,
        fusion="full",
        batch=1,
        figures=figures_of(c),
        model=constants_of(c),
        sources=SOURCES,
    )


def chips_of_columns(columns: Columns) -> Chip:
    """The chips of accelerators, as `chip_of` gives them for each.

    Args:
        columns: (n,) arrays of the parameters by name.

    Returns:
        A chip whose figures are (n,) arrays where they differ by accelerator, and numbers where not.
    """
    return chip_from(figures_of(columns), constants_of(columns), cores=1, element_bytes=ELEMENT_BYTES["int8"])


def load_accelerator(name: str) -> Device:
    """The device of a known accelerator.

    Args:
        name: "baseline", "coral" or "pixel".

    Raises:
        ValueError: if there is none of that name.
    """
    from autoglyph.search_spaces.spaces.accelerator import SPACE

    return device_of(SPACE.individual(name), PREFIX + name)


def _sram_pj_per_byte(kb: Any) -> Any:
    return SRAM_PJ_PER_BYTE_AT_32_KB * np.sqrt(kb / 32.0)
