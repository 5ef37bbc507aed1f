"""Calibration: constants of a device's model fitted to a few measured networks, judged on the others."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from autoglyph.hardware_models.agreement import Agreement, agreement
from autoglyph.hardware_models.device import Device, Family
from autoglyph.hardware_models.measured import Column, MeasuredTable, networks
from autoglyph.hardware_models.robust_fit import Fit, fit

Floats = NDArray[np.float64]

FEWEST_HELD_OUT = 3
STARTS = 8
TOLERATED_ERROR = 0.03

FITTED: Mapping[Family, tuple[str, ...]] = MappingProxyType(
    {
        "tpu": (
            "depthwise_efficiency",
            "vector_efficiency",
            "bandwidth_efficiency",
            "on_chip_share",
            "lane_padding_share",
            "kernel_overhead_us",
            "host_us_per_example",
        ),
        "gpu": (
            "matrix_efficiency",
            "depthwise_efficiency",
            "bandwidth_efficiency",
            "on_chip_share",
            "kernel_overhead_us",
        ),
        "edge": (
            "matrix_efficiency",
            "bandwidth_efficiency",
            "kernel_overhead_us",
            "host_us_per_example",
        ),
    }
)
"""Constants that are fitted: those that decide, and that the measured networks can tell apart."""

_SEARCHED: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "matrix_efficiency": (0.02, 1.0),
        "depthwise_efficiency": (0.01, 16.0),
        "vector_efficiency": (0.01, 16.0),
        "bandwidth_efficiency": (0.005, 1.0),
        "on_chip_share": (0.01, 1.0),
        "lane_padding_share": (0.01, 1.0),
        "kernel_overhead_us": (0.01, 2000.0),
        "host_us_per_example": (0.1, 1e5),
    }
)


@dataclass(frozen=True)
class Calibration:
    """A fit and what it is worth.

    Attributes:
        before: the device as it was.
        after: the device with the fitted constants.
        fitted: names of the constants.
        calibration_networks: how many networks they were fitted to.
        held_out_before: agreement of the device as it was with the other networks.
        held_out_after: agreement of the fitted device with them.
        held_out_mape: mean absolute error of the fitted device on them without a scale factor.
    """

    before: Device
    after: Device
    fitted: tuple[str, ...]
    calibration_networks: int
    held_out_before: Agreement
    held_out_after: Agreement
    held_out_mape: float


def calibrate(
    device: Device, table: MeasuredTable, column: Column, *, count: int, seed: int, source: str
) -> Calibration:
    """Fits the constants of `FITTED` to measured networks drawn at random.

    Args:
        device: where to begin; its figures and other constants are kept.
        table: the networks.
        column: what was measured of them on this device.
        count: networks to fit to; the others judge the fit.
        seed: of the draw and of the starting points.
        source: of the measurements, for the sources of the constants.

    Raises:
        ValueError: if there are too few networks for the constants or to judge the fit.
    """
    measured = np.flatnonzero(np.isfinite(column.latency_s))
    names = FITTED[device.family]
    if count < 2 * len(names):
        raise ValueError(f"{count} networks are too few to fit {len(names)} constants; give {2 * len(names)} or more.")
    if len(measured) < count + FEWEST_HELD_OUT:
        raise ValueError(
            f"The table has {len(measured)} networks measured on {device.name}; "
            f"fit to at most {max(len(measured) - FEWEST_HELD_OUT, 0)}, so that some are left to judge the fit."
        )
    rng = np.random.default_rng(seed)
    drawn = rng.choice(measured, count, replace=False)
    rest = np.setdiff1d(measured, drawn)
    note = f"fit to {count} networks of {source}, batch {column.batch}, seed {seed}"
    after = fitted_device(device, table, column, drawn, names, note, rng)
    after = dataclasses.replace(after, name=after.base_name)
    held_out = networks(table, device.fusion, rest)
    truth = column.latency_s[rest]
    estimated = held_out.latency_s(after, column.batch)
    return Calibration(
        before=device,
        after=after,
        fitted=names,
        calibration_networks=count,
        held_out_before=agreement(held_out.latency_s(device, column.batch), truth),
        held_out_after=agreement(estimated, truth),
        held_out_mape=float(np.mean(np.abs(estimated / truth - 1))),
    )


def leave_one_out(device: Device, table: MeasuredTable, column: Column, *, seed: int, source: str) -> Calibration:
    """Fits to all networks of a small table; each is judged by a fit to all the others.

    Args:
        device: where to begin; its figures and other constants are kept.
        table: the networks.
        column: what was measured of them on this device.
        seed: of the starting points.
        source: of the measurements, for the sources of the constants.

    Raises:
        ValueError: if there are too few networks for the constants.
    """
    measured = np.flatnonzero(np.isfinite(column.latency_s))
    names = FITTED[device.family]
    if len(measured) <= 2 * len(names):
        raise ValueError(
            f"The table has {len(measured)} networks measured on {device.name}, too few to fit {len(names)} constants "
            f"without one of them; {2 * len(names) + 1} are needed."
        )
    note = f"fit to {len(measured)} networks of {source}, batch {column.batch}, seed {seed}"

    def fitted_to(indices: NDArray[np.intp]) -> Device:
        return fitted_device(device, table, column, indices, names, note, np.random.default_rng(seed))

    def estimate_without_knowing(left_out: int) -> float:
        known = fitted_to(np.setdiff1d(measured, left_out))
        return float(networks(table, device.fusion, [left_out]).latency_s(known, column.batch)[0])

    estimated = np.array([estimate_without_knowing(int(index)) for index in measured])
    truth = column.latency_s[measured]
    after = fitted_to(measured)
    return Calibration(
        before=device,
        after=dataclasses.replace(after, name=after.base_name),
        fitted=names,
        calibration_networks=len(measured),
        held_out_before=agreement(networks(table, device.fusion, measured).latency_s(device, column.batch), truth),
        held_out_after=agreement(estimated, truth),
        held_out_mape=float(np.mean(np.abs(estimated / truth - 1))),
    )


def fitted_device(
    device: Device,
    table: MeasuredTable,
    column: Column,
    indices: NDArray[np.intp],
    names: Sequence[str],
    source: str,
    rng: np.random.Generator,
) -> Device:
    """The device with some constants fitted to some networks: the best of several local fits."""
    known = networks(table, device.fusion, indices)
    truth = column.latency_s[indices]
    low, high = np.log([_SEARCHED[name] for name in names]).T

    def with_constants(x: Floats) -> Device:
        values = np.clip(np.exp(x), *np.exp([low, high]))
        return device.with_constants({name: _rounded(v) for name, v in zip(names, values, strict=True)}, source)

    def residuals(x: Floats) -> Floats:
        exact = device.with_constants(dict(zip(names, np.clip(np.exp(x), *np.exp([low, high])), strict=True)), source)
        return np.log(known.latency_s(exact, column.batch) / truth)

    given = np.log(np.maximum([getattr(device.model, name) for name in names], 1e-6))
    starts = [given, *(low + (high - low) * rng.uniform(0.1, 0.9, len(names)) for _ in range(STARTS - 1))]
    fits: list[Fit] = [fit(residuals, start, low, high, width=TOLERATED_ERROR) for start in starts]
    return with_constants(min(fits, key=lambda each: each.loss).x)


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
