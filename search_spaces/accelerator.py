"""The edge accelerator of NAHAS: a grid of processing elements (PEs), each with lanes of SIMD units.

A PE has a local memory and `compute_lanes` lanes; a lane has a register file and `simd_units` units, each of
which adds a four-way dot product of 8-bit numbers a cycle. The parameters and their values are those of NAHAS
(Zhou et al. 2021, arXiv:2102.08619); they are recalled, and five of the seven lists agree with a public
co-search script for the same chip. The list of I/O bandwidths is recalled with least certainty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pyglove as pg
from numpy.typing import NDArray

CHOICES: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "pes_x": (1, 2, 4, 6, 8),
        "pes_y": (1, 2, 4, 6, 8),
        "simd_units": (16, 32, 64, 128),
        "compute_lanes": (1, 2, 4, 8),
        "local_memory_mb": (0.5, 1, 2, 3, 4),
        "register_file_kb": (8, 16, 32, 64, 128),
        "io_bandwidth_gb_per_s": (5, 10, 15, 20, 25),
    }
)
CLOCK_GHZ = 0.8  # recalled; with it the baseline has the 26.2 tera-operations/s of the paper
DOT_PRODUCT_WAYS = 4

REGISTER_BLOCK_ROWS = 32  # output positions whose sums a lane must be able to hold; assumption
LONGEST_REDUCTION = 1152  # of a convolution of EfficientNet-B0: 6 x 192 channels
MOST_OPS_PER_IO_BYTE = 4096  # beyond what any layer of these networks can keep busy; assumption

Columns = Mapping[str, Any]
Mask = NDArray[np.bool_]


class Accelerator(pg.Object):
    """One point of the space.

    Attributes:
        pes_x: PEs along which output positions are dealt.
        pes_y: PEs along which output channels are dealt.
        simd_units: of a lane; each makes one output channel.
        compute_lanes: of a PE; each makes one output position.
        local_memory_mb: of a PE, 2^20 bytes.
        register_file_kb: of a lane, 2^10 bytes.
        io_bandwidth_gb_per_s: to the memory outside, 1e9 bytes a second.
    """

    pes_x: int
    pes_y: int
    simd_units: int
    compute_lanes: int
    local_memory_mb: float
    register_file_kb: int
    io_bandwidth_gb_per_s: float

    def _on_bound(self) -> None:
        super()._on_bound()
        for name, choices in CHOICES.items():
            value = self.sym_getattr(name)
            if not isinstance(value, pg.hyper.HyperValue) and value not in choices:
                allowed = ", ".join(f"{choice:g}" for choice in choices)
                raise ValueError(f"{name} of an accelerator is {value!r}; give one of {allowed}.")

    @property
    def columns(self) -> dict[str, float]:
        """The parameters by name."""
        return {name: self.sym_getattr(name) for name in CHOICES}

    @property
    def peak_tera_ops_per_s(self) -> float:
        """Peak, two operations a multiply-add."""
        return float(peak_ops_per_s(self.columns)) / 1e12


def macs_per_cycle(columns: Columns) -> Any:
    """Multiply-adds a cycle of accelerators given by their parameters: numbers, or arrays of one shape."""
    pes = columns["pes_x"] * columns["pes_y"]
    return pes * columns["compute_lanes"] * columns["simd_units"] * DOT_PRODUCT_WAYS


def peak_ops_per_s(columns: Columns) -> Any:
    """Peak operations a second, two a multiply-add."""
    return 2.0 * macs_per_cycle(columns) * (CLOCK_GHZ * 1e9)


def register_block_rows(columns: Columns) -> Any:
    """Output positions whose sums fit a lane's register file.

    A position takes a 4-byte sum for each SIMD unit and the operands of one dot product, twice, so that the next
    ones are read meanwhile; beside them lie the operands that are the units' own, the weights, twice as well.
    """
    simd = columns["simd_units"]
    free = columns["register_file_kb"] * 1024 - 2 * DOT_PRODUCT_WAYS * simd
    return free // (4 * simd + 2 * DOT_PRODUCT_WAYS)


def tile_bytes(columns: Columns) -> Any:
    """Local memory that the longest reduction takes: weights, inputs and outputs of one register block a lane.

    Weights are shared by the lanes. Weights and inputs are there twice, so that the next tile is read meanwhile.
    """
    simd, rows = columns["simd_units"], columns["compute_lanes"] * REGISTER_BLOCK_ROWS
    return 2 * (simd + rows) * LONGEST_REDUCTION + simd * rows


_RULES: Mapping[str, Callable[[Columns], Any]] = MappingProxyType(
    {
        "register_file": lambda c: register_block_rows(c) >= REGISTER_BLOCK_ROWS,
        "local_memory": lambda c: tile_bytes(c) <= c["local_memory_mb"] * 2**20,
        "io_bandwidth": lambda c: peak_ops_per_s(c) <= MOST_OPS_PER_IO_BYTE * 1e9 * c["io_bandwidth_gb_per_s"],
    }
)


def valid(columns: Columns) -> Mask:
    """(n,) mask of accelerators that can be built and used.

    Args:
        columns: (n,) arrays of the parameters by name.
    """
    mask: Mask = np.logical_and.reduce([np.asarray(rule(columns)) for rule in _RULES.values()])
    return mask


def violations(accelerator: Accelerator) -> list[str]:
    """The rules that an accelerator breaks, each a sentence that starts with the rule's name; none if it is valid."""
    c = accelerator.columns
    peak, bandwidth = accelerator.peak_tera_ops_per_s, c["io_bandwidth_gb_per_s"]
    sentences = {
        "register_file": (
            f"{c['register_file_kb']} KB a lane hold the sums of {max(0, register_block_rows(c))} output positions "
            f"for {c['simd_units']} SIMD units; give it room for {REGISTER_BLOCK_ROWS}."
        ),
        "local_memory": (
            f"{c['local_memory_mb']:g} MB a PE do not hold a tile of {tile_bytes(c) / 2**20:.2f} MB for "
            f"{c['compute_lanes']} lanes of {c['simd_units']} SIMD units; give it more memory or fewer lanes."
        ),
        "io_bandwidth": (
            f"{bandwidth:g} GB/s cannot feed {peak:.1f} tera-operations/s; allow at most "
            f"{MOST_OPS_PER_IO_BYTE} operations a byte."
        ),
    }
    return [f"{name}: {sentences[name]}" for name, rule in _RULES.items() if not rule(c)]


def check_valid(accelerator: Accelerator) -> None:
    """Refuses an accelerator that breaks a rule.

    Raises:
        ValueError: with the rules that it breaks.
    """
    broken = violations(accelerator)
    if broken:
        raise ValueError(f"Invalid accelerator. {' '.join(broken)}")


def accelerator_space() -> Accelerator:
    """The hyper value of all 50,000 accelerators."""
    return Accelerator(**{name: pg.oneof(list(choices)) for name, choices in CHOICES.items()})
