"""Fits the accuracy surrogate of the "efficientnet" space on the Accel-NASBench table.

    python -m autoglyph.child_programs.fit_accel_nasbench accel_nasbench.csv [--output FILE]

The table (Ahmad et al. 2024, Apache-2.0) gives the ImageNet top-1 accuracy of EfficientNet-like networks
after a 16-epoch proxy training. A fifth of the networks, chosen by a hash of their number, is held out: the
coefficients are fitted on the others, and the error that is printed and written is that of the held-out ones.

Features, chosen by cross-validation on the fitted part: which expansion, kernel, layers and
squeeze-and-excitation every stage has; the logarithms of the parameters and of the expanded layers (the sum
over stages of layers times expansion), their squares and their product. By cross-validation the mean
error is 0.79 points with the genes alone, 0.55 with the two logarithms and 0.45 with all of them.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import itertools
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.child_programs.surrogates.surrogate import LinearSurrogate
from autoglyph.search_spaces import Genome, Rows
from autoglyph.search_spaces.architectures.efficientnet import EfficientNet
from autoglyph.search_spaces.spaces.efficientnet import SPACE

NAME = "accel_nasbench"
GENE_COLUMNS = {"repeats": "block_l", "kernel": "block_k", "expansion": "block_e", "se_ratio": "block_se"}
SE_RATIO = 0.25
HELD_OUT_BYTES = 51  # of 256 values of the first byte of a hash: a fifth
RIDGE_STRENGTHS = np.logspace(-3, 2, 11)
MONOMIALS = ((1, 0), (0, 1), (2, 0), (1, 1), (0, 2))

Table = list[dict[str, str]]


def read_table(path: Path) -> Table:
    """Rows of the table.

    Raises:
        ValueError: if the file is not the table.
    """
    if not path.is_file():
        raise ValueError(f"There is no file {str(path)!r}: give the path of accel_nasbench.csv.")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = {"result_id", "val_top1", *GENE_COLUMNS.values()} - set(reader.fieldnames or ())
        if missing:
            raise ValueError(f"{str(path)!r} has no columns {', '.join(sorted(missing))}: give accel_nasbench.csv.")
        return list(reader)


def rows_of_table(table: Table, genome: Genome) -> tuple[Rows, NDArray[np.bool_]]:
    """(n, L) rows of the space, and an (n,) mask of the networks that are points of it."""
    rows = genome.rows_at(0, 1).repeat(len(table), 0)
    inside = np.ones(len(table), np.bool_)
    for at, column in enumerate(genome.columns):
        stage, gene = column.name.removeprefix("stages[").split("].")
        scale = SE_RATIO if gene == "se_ratio" else 1
        numbers = {value: i for i, value in enumerate(column.candidates)}
        for n, network in enumerate(table):
            value = scale * int(network[GENE_COLUMNS[gene]].split("-")[int(stage)])
            inside[n] &= value in numbers
            rows[n, at] = numbers.get(value, 0)
    return rows, inside


def is_held_out(result_id: str) -> bool:
    """Whether a network is kept from the fit, by its number alone."""
    return hashlib.sha256(result_id.encode()).digest()[0] < HELD_OUT_BYTES


def stage_groups(genome: Genome) -> list[list[str]]:
    """Names of the columns of each stage."""
    names = [column.name for column in genome.columns]
    return [list(group) for _, group in itertools.groupby(names, key=lambda name: name.split(".")[0])]


def parameters(architecture: EfficientNet) -> int:
    """Trainable parameters."""
    from autoglyph.hardware_models import record

    return record(architecture).parameters


def expanded_layers(architecture: EfficientNet) -> int:
    """Layers times expansion, summed over stages."""
    return sum(stage.repeats * stage.expansion for stage in architecture.stages)


def summands(genome: Genome, quantity: Callable[[EfficientNet], int]) -> tuple[int, list[list[int]]]:
    """A quantity of the network of first candidates, and what each combination of each stage adds to it.

    The stages of this space meet at fixed channel counts, so its quantities are sums over stages.
    """
    base = genome.rows_at(0, 1)[0]
    constant = quantity(genome.decode(base))
    names = [column.name for column in genome.columns]
    parts = []
    for group in stage_groups(genome):
        at = [names.index(name) for name in group]
        part = []
        for combination in itertools.product(*(range(genome.cardinalities[i]) for i in at)):
            row = base.copy()
            row[at] = combination
            part.append(quantity(genome.decode(row)) - constant)
        parts.append(part)
    return constant, parts


def totals_of_rows(rows: Rows, genome: Genome, constant: int, parts: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """(n,) totals."""
    names = [column.name for column in genome.columns]
    totals = np.full(len(rows), constant, np.int64)
    for group, part in zip(stage_groups(genome), parts, strict=True):
        at = [names.index(name) for name in group]
        index = np.ravel_multi_index(tuple(rows[:, at].T), tuple(genome.cardinalities[at]))
        totals += np.asarray(part)[index]
    return totals


def fit(table: Table, genome: Genome) -> dict[str, Any]:
    """Fits the coefficients of the accuracy and measures them on the held-out networks.

    Returns:
        The fields of a `LinearSurrogate`, ready for JSON.
    """
    top1 = np.array([float(network["val_top1"]) for network in table])
    predicts = "ImageNet top-1 in percent after the 16-epoch proxy training of Accel-NASBench"
    return fit_targets(table, genome, {NAME: (predicts, top1)})[NAME]


def fit_targets(
    table: Table, genome: Genome, targets: Mapping[str, tuple[str, NDArray[np.float64]]]
) -> dict[str, dict[str, Any]]:
    """Fits the coefficients of several quantities and measures each on the held-out networks.

    Args:
        table: the networks.
        genome: of the space "efficientnet".
        targets: by name, what is predicted in one line and its (n,) measured values, NaN where there is none.

    Returns:
        By name, the fields of a `LinearSurrogate`, ready for JSON.
    """
    rows, inside = rows_of_table(table, genome)
    held_out = np.array([is_held_out(network["result_id"]) for network in table])
    fitted = inside & ~held_out

    terms = [
        (at, number, {column.name: candidate})
        for at, column in enumerate(genome.columns)
        for number, candidate in enumerate(column.candidates)
        if number
    ]
    indicators = [rows[:, at] == number for at, number, _ in terms]

    totals: list[dict[str, Any]] = []
    logs = []
    for name, quantity in [("parameters", parameters), ("expanded layers", expanded_layers)]:
        constant, parts = summands(genome, quantity)
        log = np.log(totals_of_rows(rows, genome, constant, parts))
        centre, scale = float(log[fitted].mean()), float(log[fitted].std())
        logs.append((log - centre) / scale)
        totals.append({"name": name, "constant": constant, "parts": parts, "log_centre": centre, "log_scale": scale})
    products = [math.prod(log**power for log, power in zip(logs, powers, strict=True)) for powers in MONOMIALS]
    features = np.column_stack([*indicators, *products]).astype(np.float64)
    found = {}
    for name, (predicts, values) in targets.items():
        measured = np.isfinite(values)
        tested, used = inside & held_out & measured, fitted & measured
        intercept, coefficients = _ridge(features[used], values[used])
        fields: dict[str, Any] = {
            "name": name,
            "predicts": predicts,
            "source": "Accel-NASBench (Ahmad et al. 2024), networks of seven EfficientNet-B0-like stages",
            "licence": "Apache-2.0",
            "space": SPACE.name,
            "space_digest": genome.digest,
            "columns": {column.name: list(column.candidates) for column in genome.columns},
            "groups": stage_groups(genome),
            "fitted_networks": int(used.sum()),
            "held_out": {"networks": 0, "spearman": math.nan, "mean_absolute_error": math.nan},
            "intercept": intercept,
            "terms": [
                {"when": when, "coefficient": c}
                for (_, _, when), c in zip(terms, coefficients[: len(terms)], strict=True)
            ],
            "totals": totals,
            "monomials": [
                {"powers": list(powers), "coefficient": c}
                for powers, c in zip(MONOMIALS, coefficients[len(terms) :], strict=True)
            ],
        }
        fields["held_out"] = errors(LinearSurrogate.from_json(json.dumps(fields)), rows[tested], values[tested])
        found[name] = fields
    return found


def _ridge(features: NDArray[np.float64], values: NDArray[np.float64]) -> tuple[float, list[float]]:
    """Intercept and coefficients, the strength of the penalty chosen by cross-validation."""
    from sklearn.linear_model import RidgeCV

    model = RidgeCV(RIDGE_STRENGTHS).fit(features, values)
    return float(model.intercept_), [float(c) for c in model.coef_]


def errors(surrogate: LinearSurrogate, rows: Rows, top1: NDArray[np.float64]) -> dict[str, Any]:
    """Rank correlation and mean absolute error of the predictions for some networks."""
    predicted = surrogate.predict(rows)
    return {
        "networks": len(rows),
        "spearman": round(spearman(predicted, top1), 4),
        "mean_absolute_error": round(float(np.abs(predicted - top1).mean()), 4),
    }


def spearman(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Correlation of ranks; ties share their mean rank."""
    return float(np.corrcoef(_ranks(first), _ranks(second))[0, 1])


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: of the command line; those of the process by default.

    Returns:
        Exit code: 0, or 2 if the table cannot be used.
    """
    parser = argparse.ArgumentParser(description="Fit the accuracy surrogate of the efficientnet space.")
    parser.add_argument("table", type=Path, help="accel_nasbench.csv")
    parser.add_argument("--output", type=Path, help="JSON file to write the surrogate to")
    options = parser.parse_args(arguments)
    try:
        table = read_table(options.table)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    fields = fit(table, SPACE.genome)
    held_out = fields["held_out"]
    outside = len(table) - fields["fitted_networks"] - held_out["networks"]
    print(f"networks: {fields['fitted_networks']} fitted, {held_out['networks']} held out, {outside} not in the space")
    print(f"held-out Spearman: {held_out['spearman']:.4f}")
    print(f"held-out mean absolute error: {held_out['mean_absolute_error']:.4f} points")
    if options.output is not None:
        options.output.write_text(json.dumps(fields, indent=1) + "\n", encoding="utf-8")
        print(f"written: {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
