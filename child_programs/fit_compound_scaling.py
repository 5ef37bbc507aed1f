"""Fits the accuracy surrogate of compound scaling on published families.

    python -m autoglyph.child_programs.fit_compound_scaling model_params_flops.csv [--output FILE]

The rows are published ImageNet top-1 accuracies whose numbers were read at their source (status "seen"). Depth is
counted in blocks as a multiple of 16, which EfficientNet-B0 and ResNet-50 both have, resolution in multiples of 224.

What tells what:

- ResNet-50 to 152 and SpineNet-49 to 143 vary depth alone; SpineNet-190 is also 1.3 times as wide;
- ResNet-RS varies depth and resolution at one width, four of its depths at several resolutions, but its
  regularisation grows with its size;
- EfficientNet-X-B5 and H-B5 at 448 pixels differ in width alone, but for the expansion of three stages;
- EfficientNet-B0 to B7 and EfficientNetV2-B0 to B3 scale all three together, so within them the three are nearly
  collinear: what they say of width is what is left after depth and resolution have been explained by the others.

Width thus rests on the compound families and on two pairs, and the three effects are associations across recipes.
ResNet-34 (other blocks), EfficientNetV2-S to L (other stages) and rows without a resolution are not used, nor is
EfficientNet-X-B5 at 576 pixels: that is one set of weights tested beyond its resolution, not scaling.

The exponents are those of a grid with the least leave-one-out error; that choice is not left out of it, so the error
is a little optimistic. The jackknife deviations are at the chosen exponents.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.child_programs.compound_scaling import BASE_RESOLUTION, DIMENSIONS, built_multipliers
from autoglyph.search_spaces.architectures.efficientnet_family import COMPOUND, H_COMPOUND, efficientnet

NAME = "compound_scaling"
BASE_BLOCKS = 16
EXPONENTS = (1.0, 1.5, 2.0, 3.0, 4.0)
SPINENET = {"49": (1.0, 1.0), "96": (2.0, 1.0), "143": (3.0, 1.0), "190": (4.0, 1.3)}  # Du et al. 2020, section 3.3
DIGITS = 6
_COLUMNS = {"model", "resolution", "top1", "status"}
_LOG_COEFFICIENT_LIMIT = 7.0

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PublishedRow:
    """A network of a family, with its multipliers in the order of `DIMENSIONS`."""

    family: str
    model: str
    multipliers: tuple[float, float, float]
    error: float


def _compound(match: re.Match[str]) -> tuple[float, float]:
    built = built_multipliers(efficientnet(COMPOUND[int(match["name"])]))
    return built.depth, built.width


def _wide_pair(match: re.Match[str]) -> tuple[float, float]:
    built = built_multipliers(efficientnet(COMPOUND[5] if match["name"] == "X" else H_COMPOUND[5]))
    return built.depth, built.width


def _resnet(match: re.Match[str]) -> tuple[float, float]:
    return ((int(match["name"]) - 2) // 3) / BASE_BLOCKS, 1.0


def _spinenet(match: re.Match[str]) -> tuple[float, float]:
    return SPINENET[match["name"]]


FAMILIES: Mapping[str, tuple[str, Callable[[re.Match[str]], tuple[float, float]]]] = {
    "EfficientNet": (r"EfficientNet-B(?P<name>[0-7])", _compound),
    "EfficientNet-X and H": (r"EfficientNet-(?P<name>X|H)-B5 \(timm efficientnet_._b5\)", _wide_pair),
    "EfficientNetV2": (r"EfficientNetV2-B(?P<name>[0-3])", _compound),
    "ResNet": (r"ResNet-(?P<name>50|101|152)", _resnet),
    "ResNet-RS": (r"ResNet-RS-(?P<name>\d+)", _resnet),
    "SpineNet": (r"SpineNet-(?P<name>\d+)", _spinenet),
    "SpineNet, longer recipe": (r"SpineNet-(?P<name>\d+) \+SD/swish/LS", _spinenet),
}


def read_rows(path: Path) -> list[PublishedRow]:
    """The rows of the table that are used.

    Raises:
        ValueError: if the file is not the table.
    """
    if not path.is_file():
        raise ValueError(f"There is no file {str(path)!r}: give the path of model_params_flops.csv.")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = _COLUMNS - set(reader.fieldnames or ())
        if missing:
            raise ValueError(f"{str(path)!r} has no columns {', '.join(sorted(missing))}: give model_params_flops.csv.")
        table = list(reader)
    rows = []
    for row in table:
        if not (row["status"].startswith("seen") and row["resolution"] and row["top1"]):
            continue
        for family, (pattern, multipliers) in FAMILIES.items():
            if match := re.fullmatch(pattern, row["model"]):
                depth, width = multipliers(match)
                resolution = float(row["resolution"]) / BASE_RESOLUTION
                error = 1 - float(row["top1"]) / 100
                rows.append(PublishedRow(family, row["model"], (depth, width, resolution), error))
    if len({row.family for row in rows}) < len(FAMILIES):
        raise ValueError(f"{str(path)!r} does not hold all of {', '.join(FAMILIES)}: give model_params_flops.csv.")
    return rows


def _shape(log_coefficients: Floats, multipliers: Floats, exponents: Sequence[float]) -> Floats:
    """(n,) logarithm of the error over its level."""
    return np.asarray(np.log1p((np.exp(log_coefficients) * multipliers ** -np.asarray(exponents)).sum(1)))


def _fit(rows: Sequence[PublishedRow], exponents: Sequence[float]) -> tuple[Floats, dict[str, float]]:
    """Logarithms of the coefficients, and log levels by family."""
    from scipy.optimize import least_squares

    families = sorted({row.family for row in rows})
    member = np.array([[row.family == family for family in families] for row in rows], np.float64)
    multipliers = np.array([row.multipliers for row in rows])
    logs = np.log([row.error for row in rows])
    counts = member.sum(0)

    def levels(coefficients: Floats) -> Floats:
        return np.asarray(member.T @ (logs - _shape(coefficients, multipliers, exponents)) / counts)

    def residuals(coefficients: Floats) -> Floats:
        return np.asarray(_shape(coefficients, multipliers, exponents) + member @ levels(coefficients) - logs)

    limit = _LOG_COEFFICIENT_LIMIT
    found = least_squares(residuals, np.full(3, -1.0), bounds=(-limit, limit), xtol=1e-12, ftol=1e-12, gtol=1e-12)
    level = dict(zip(families, map(float, levels(found.x)), strict=True))
    return np.asarray(found.x), level


def _points(row: PublishedRow, log_error: float) -> float:
    return abs(100 * (row.error - float(np.exp(log_error))))


def leave_one_out(rows: Sequence[PublishedRow], exponents: Sequence[float]) -> float:
    """Mean absolute error in points of rows that were not fitted."""
    errors = []
    for i, row in enumerate(rows):
        coefficients, level = _fit([*rows[:i], *rows[i + 1 :]], exponents)
        predicted = level[row.family] + _shape(coefficients, np.array([row.multipliers]), exponents)[0]
        errors.append(_points(row, predicted))
    return float(np.mean(errors))


def leave_one_family_out(rows: Sequence[PublishedRow], exponents: Sequence[float]) -> float:
    """Mean absolute error in points of families that were not fitted, each at its own mean level."""
    errors = []
    for family in FAMILIES:
        coefficients, _ = _fit([row for row in rows if row.family != family], exponents)
        members = [row for row in rows if row.family == family]
        shape = _shape(coefficients, np.array([row.multipliers for row in members]), exponents)
        level = np.mean([np.log(row.error) for row in members]) - shape.mean()
        errors += [_points(row, level + s) for row, s in zip(members, shape, strict=True)]
    return float(np.mean(errors))


def choose_exponents(rows: Sequence[PublishedRow]) -> tuple[float, ...]:
    """The exponents of depth, width and resolution with the least leave-one-out error."""
    grid = list(itertools.product(EXPONENTS, repeat=len(DIMENSIONS)))
    return min(grid, key=lambda exponents: leave_one_out(rows, exponents))


def log_deviations(rows: Sequence[PublishedRow], exponents: Sequence[float]) -> Floats:
    """(3,) standard deviations of the logarithms of the coefficients, by the jackknife over rows."""
    every = np.array([_fit([*rows[:i], *rows[i + 1 :]], exponents)[0] for i in range(len(rows))])
    return np.asarray(np.sqrt((len(rows) - 1) * every.var(0)))


def fit(rows: Sequence[PublishedRow], exponents: Sequence[float] | None = None) -> dict[str, Any]:
    """Fits everything and measures it.

    Args:
        rows: from `read_rows`.
        exponents: of depth, width and resolution; chosen unless given.

    Returns:
        The fields of a `ScalingSurrogate`, ready for JSON.
    """
    if exponents is None:
        exponents = choose_exponents(rows)
    log_coefficients, level = _fit(rows, exponents)
    columns = list(zip(*(row.multipliers for row in rows), strict=True))

    def by_dimension(values: Iterable[float]) -> dict[str, float]:
        return {d: round(float(value), DIGITS) for d, value in zip(DIMENSIONS, values, strict=True)}

    low, high = by_dimension(map(min, columns)), by_dimension(map(max, columns))
    return {
        "name": NAME,
        "predicts": "ImageNet top-1 in percent of a network scaled in depth, width and resolution",
        "source": f"regression on {len(rows)} published ImageNet networks of {len(FAMILIES)} families",
        "rows": len(rows),
        "exponents": by_dimension(exponents),
        "coefficients": by_dimension(np.exp(log_coefficients)),
        "log_levels": {family: round(level[family], DIGITS) for family in FAMILIES},
        "ranges": {d: [low[d], high[d]] for d in DIMENSIONS},
        "log_deviations": by_dimension(log_deviations(rows, exponents)),
        "held_out": {
            "leave_one_out": round(leave_one_out(rows, exponents), 4),
            "leave_one_family_out": round(leave_one_family_out(rows, exponents), 4),
        },
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: of the command line; those of the process by default.

    Returns:
        Exit code: 0, or 2 if the table cannot be used.
    """
    parser = argparse.ArgumentParser(description="Fit the accuracy surrogate of compound scaling.")
    parser.add_argument("table", type=Path, help="model_params_flops.csv")
    parser.add_argument("--output", type=Path, help="JSON file to write the surrogate to")
    options = parser.parse_args(arguments)
    try:
        rows = read_rows(options.table)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    fields = fit(rows)
    print(f"rows: {fields['rows']} of {len(FAMILIES)} families")
    for name, coefficient in fields["coefficients"].items():
        deviation = 100 * fields["log_deviations"][name]
        print(f"{name}: coefficient {coefficient:.4f} +- {deviation:.0f} %, exponent {fields['exponents'][name]:g}")
    print(f"leave-one-out mean absolute error: {fields['held_out']['leave_one_out']:.4f} points")
    print(f"leave-one-family-out mean absolute error: {fields['held_out']['leave_one_family_out']:.4f} points")
    if options.output is not None:
        options.output.write_text(json.dumps(fields, indent=1) + "\n", encoding="utf-8")
        print(f"written: {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
