"""Devices: the figures of a chip and the constants of its model, each with its source.

A device is one core or a whole chip of a kind; `unit` says which, and `using` gives the other reading.
Figures are those of the chip as published; what the cores in use have of it is worked out here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from autoglyph.hardware_models.fusion import Fusion
from autoglyph.search_spaces import plugins

Family = Literal["tpu", "gpu", "edge"]
Precision = Literal["bf16", "fp16", "int8"]
DATASHEET = ":datasheet"
WITHOUT_HOST = ":chip"
ELEMENT_BYTES: Mapping[Precision, int] = MappingProxyType({"bf16": 2, "fp16": 2, "int8": 1})


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a chip is, as published; shared quantities are those of the whole chip.

    Attributes:
        clock_ghz: clock of the matrix and vector units.
        cores_per_chip: independent cores that programs can be placed on.
        matrix_engines_per_core: matrix units of a core (MXUs of a TPU core, SMs of a GPU).
        macs_per_cycle_per_engine: multiply-adds a cycle of one matrix unit at this precision.
        peak_tera_ops_per_s: published peak of the chip, two operations a multiply-add.
        tile_m: rows to which a matrix product is padded.
        tile_n: columns to which a matrix product is padded.
        tile_k: length to which its reduction is padded.
        vector_macs_per_cycle_per_core: steps a cycle of the vector unit.
        vector_lanes: channels to which the vector unit and the layout of activations are padded.
        off_chip_bandwidth_gb_per_s: memory, or the host link where there is no memory, 1e9 bytes.
        off_chip_gib: size of that memory, 0 for none.
        on_chip_mib: memory that can hold activations between kernels.
        weight_cache_mib: memory that holds weights between runs, 0 where they are read anew in each.
        mac_pj: energy of a multiply-add or a vector step.
        on_chip_pj_per_byte: energy of a byte read or written on the chip.
        off_chip_pj_per_byte: energy of a byte from or to the memory.
        static_w: power of the chip that does not depend on the work.
    """

    clock_ghz: float
    cores_per_chip: int
    matrix_engines_per_core: int
    macs_per_cycle_per_engine: int
    peak_tera_ops_per_s: float
    tile_m: int
    tile_n: int
    tile_k: int
    vector_macs_per_cycle_per_core: int
    vector_lanes: int
    off_chip_bandwidth_gb_per_s: float
    off_chip_gib: float
    on_chip_mib: float
    weight_cache_mib: float
    mac_pj: float
    on_chip_pj_per_byte: float
    off_chip_pj_per_byte: float
    static_w: float


@dataclass(frozen=True, kw_only=True)
class Constants:
    """What the model assumes of a chip and its software; calibration fits some of them.

    Attributes:
        matrix_efficiency: share of the matrix units' peak that full tiles reach.
        depthwise_efficiency: share of the vector unit's peak in depthwise convolutions.
        vector_efficiency: share of the vector unit's peak in element-wise work.
        bandwidth_efficiency: share of the published off-chip bandwidth.
        depthwise_traffic_ratio: bytes that a depthwise convolution moves for each byte of its input and output;
            above 1 where windows are read again or the layout is changed for it.
        on_chip_bandwidth_ratio: bandwidth on the chip as a multiple of the published off-chip one.
        on_chip_share: share of the on-chip memory that keeps activations between kernels.
        examples_on_chip: examples whose activations must fit there at once, at most the batch: all of a batch
            where one kernel ends before the next starts, 1 where a batch streams through image by image.
        lane_padding_share: share of the padding of channels to the vector lanes that costs time and traffic; below
            1 where a compiler packs narrow arrays.
        overlap: share of the shorter of compute and memory time that is hidden behind the longer.
        tile_fill_cycles: cycles to start one tile.
        kernel_overhead_us: time to start one kernel.
        host_us_per_example: time the host needs to feed one example; no batch is faster.
    """

    matrix_efficiency: float
    depthwise_efficiency: float
    vector_efficiency: float
    bandwidth_efficiency: float
    depthwise_traffic_ratio: float
    on_chip_bandwidth_ratio: float
    on_chip_share: float
    examples_on_chip: float
    lane_padding_share: float
    overlap: float
    tile_fill_cycles: float
    kernel_overhead_us: float
    host_us_per_example: float


@dataclass(frozen=True, kw_only=True)
class Device:
    """A chip, or one core of it, with the constants of its model.

    Attributes:
        name: as it is asked for, such as "tpu_v3".
        title: one line.
        family: "tpu", "gpu" or "edge".
        precision: of weights and activations.
        cores: how many of the chip's cores run the network, each with an equal part of every batch.
        fusion: fusion regime of its usual software.
        batch: examples in a batch unless told.
        figures: published figures of the chip.
        model: constants of the model.
        sources: where each figure and constant comes from, by name.
        uncalibrated: values of calibrated constants before they were fitted, by name.
    """

    name: str
    title: str
    family: Family
    precision: Precision
    cores: int
    fusion: Fusion
    batch: int
    figures: Figures
    model: Constants
    sources: Mapping[str, str] = dataclasses.field(default_factory=dict, hash=False)
    uncalibrated: Mapping[str, float] = dataclasses.field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not 1 <= self.cores <= self.figures.cores_per_chip:
            raise ValueError(
                f"{self.name}: cores is {self.cores}; give 1 to {self.figures.cores_per_chip}, the cores of the chip."
            )
        if self.batch < 1:
            raise ValueError(f"{self.name}: batch is {self.batch}; give 1 or more.")
        for name, value in dataclasses.asdict(self.figures).items():
            if value < 0 or (value == 0 and name not in _MAY_BE_ZERO):
                raise ValueError(f"{self.name}: {name} is {value:g}; give a positive number.")
        for name, (low, high) in _RANGES.items():
            value = getattr(self.model, name)
            if not low <= value <= high:
                raise ValueError(f"{self.name}: {name} is {value:g}; give {low:g} to {high:g}.")

    @property
    def base_name(self) -> str:
        """The name without the reading of it, such as "tpu_v3" for "tpu_v3:datasheet"."""
        return self.name.removesuffix(DATASHEET).removesuffix(WITHOUT_HOST)

    @property
    def unit(self) -> Literal["core", "chip", "part"]:
        """Whether the device is one core of a chip, the whole chip, or some cores of it."""
        if self.cores == self.figures.cores_per_chip:
            return "chip"
        return "core" if self.cores == 1 else "part"

    @property
    def element_bytes(self) -> int:
        """Bytes of an activation or a weight."""
        return ELEMENT_BYTES[self.precision]

    @property
    def chip_share(self) -> float:
        """Part of the chip that the cores in use are."""
        return self.cores / self.figures.cores_per_chip

    @property
    def computed_peak_tera_ops_per_s(self) -> float:
        """Peak of the whole chip from clock, engines and multiply-adds a cycle."""
        f = self.figures
        macs = f.cores_per_chip * f.matrix_engines_per_core * f.macs_per_cycle_per_engine
        return 2e-3 * f.clock_ghz * macs

    @property
    def peak_ops_per_s(self) -> float:
        """Published peak of the cores in use, two operations a multiply-add."""
        return self.figures.peak_tera_ops_per_s * 1e12 * self.chip_share

    @property
    def bandwidth_bytes_per_s(self) -> float:
        """Published off-chip bandwidth of the cores in use."""
        return self.figures.off_chip_bandwidth_gb_per_s * 1e9 * self.chip_share

    def using(self, cores: int) -> Device:
        """The same chip with this many of its cores in use."""
        return dataclasses.replace(self, cores=cores)

    def with_constants(self, constants: Mapping[str, float], source: str) -> Device:
        """The same device with some constants of the model replaced.

        Args:
            constants: new values by name.
            source: where they come from, such as the fit that gave them.

        Raises:
            ValueError: if a name is unknown or a value out of range.
        """
        known = [field.name for field in dataclasses.fields(Constants)]
        for name in constants:
            if name not in known:
                raise plugins.unknown_name("constant of the model", name, known)
        return dataclasses.replace(
            self,
            model=dataclasses.replace(self.model, **constants),
            sources={**self.sources, **dict.fromkeys(constants, source)},
            uncalibrated={**{name: getattr(self.model, name) for name in constants}, **self.uncalibrated},
        )

    def datasheet_only(self) -> Device:
        """The device as its datasheet and assumptions have it, without calibration."""
        plain = self.with_constants(self.uncalibrated, "assumption; not calibrated")
        return dataclasses.replace(plain, name=self.name + DATASHEET, uncalibrated={})

    def without_host(self) -> Device:
        """The device with its calibration, but fed without delay: the time of the chip alone.

        What a calibration finds for the host is the input pipeline of the measurements, under whose floor all
        small networks are equally fast; to compare networks, it is better left out.
        """
        alone = self.with_constants({"host_us_per_example": 0.0}, "left out: the chip alone")
        return dataclasses.replace(alone, name=self.name + WITHOUT_HOST, uncalibrated=self.uncalibrated)


_MAY_BE_ZERO = ("off_chip_gib", "weight_cache_mib", "static_w", "mac_pj", "on_chip_pj_per_byte")
_RANGES: dict[str, tuple[float, float]] = {
    "matrix_efficiency": (1e-3, 1.0),
    "depthwise_efficiency": (1e-3, 16.0),  # above 1 where the units of a lane can each add a product
    "vector_efficiency": (1e-3, 16.0),
    "bandwidth_efficiency": (1e-3, 1.0),
    "depthwise_traffic_ratio": (1.0, 64.0),
    "on_chip_bandwidth_ratio": (1.0, 1000.0),
    "on_chip_share": (0.0, 1.0),
    "examples_on_chip": (1.0, 1e6),
    "lane_padding_share": (0.0, 1.0),
    "overlap": (0.0, 1.0),
    "tile_fill_cycles": (0.0, 1e6),
    "kernel_overhead_us": (0.0, 1e6),
    "host_us_per_example": (0.0, 1e6),
}
