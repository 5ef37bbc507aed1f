"""The accuracy surrogate: its formula, its refusals and its error on held-out networks."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autoglyph.child_programs import load_surrogate
from autoglyph.child_programs.fit_accel_nasbench import (
    errors,
    expanded_layers,
    is_held_out,
    main,
    read_table,
    rows_of_table,
    spearman,
)
from autoglyph.child_programs.surrogates.surrogate import LinearSurrogate, available_surrogates
from autoglyph.hardware_models import record
from autoglyph.search_spaces import Genome, load_space

TABLE = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "accel_nasbench.csv"


@pytest.fixture(scope="module")
def surrogate() -> LinearSurrogate:
    return load_surrogate("accel_nasbench")


@pytest.fixture(scope="module")
def genome() -> Genome:
    return load_space("efficientnet").genome


def table() -> Any:
    if not TABLE.exists():
        pytest.skip("needs ../shared/reference/accel_nasbench.csv: absent")
    return read_table(TABLE)


def directly(surrogate: LinearSurrogate, network: Any) -> float:
    """The formula of the file, written out for one decoded network and counted by the workload."""
    prediction = surrogate.intercept
    for term in surrogate.terms:
        prediction += term.coefficient * all(network.sym_get(path) == value for path, value in term.when.items())
    quantities = {"parameters": record(network).parameters, "expanded layers": expanded_layers(network)}
    logs = [(np.log(quantities[t.name]) - t.log_centre) / t.log_scale for t in surrogate.totals]
    for monomial in surrogate.monomials:
        prediction += monomial.coefficient * np.prod([log**p for log, p in zip(logs, monomial.powers, strict=True)])
    return float(prediction)


def test_predictions_are_those_of_the_formula(surrogate: LinearSurrogate, genome: Genome) -> None:
    rows = genome.random(100, np.random.default_rng(0))
    assert np.allclose(surrogate.predict(rows), [directly(surrogate, genome.decode(row)) for row in rows], atol=1e-9)


def test_predictions_do_not_depend_on_the_batch(surrogate: LinearSurrogate, genome: Genome) -> None:
    rows = genome.random(70_000, np.random.default_rng(1))
    whole = surrogate.predict(rows)
    assert np.array_equal(whole[40_000:40_003], surrogate.predict(rows[40_000:40_003]))
    assert surrogate.predict(rows[:0]).shape == (0,)
    assert 40 < whole.min() < whole.max() < 70


def test_another_space_is_refused(surrogate: LinearSurrogate, genome: Genome) -> None:
    surrogate.check_space(genome)
    other = load_space("efficientnet_x").genome
    with pytest.raises(ValueError, match="holds for the space 'efficientnet'"):
        surrogate.check_space(other)
    with pytest.raises(ValueError, match="expects rows of 28 decisions"):
        surrogate.predict(other.random(3, np.random.default_rng(0)))


@pytest.mark.parametrize("change", [-1, 3])
def test_rows_outside_the_space_are_refused(surrogate: LinearSurrogate, genome: Genome, change: int) -> None:
    rows = genome.random(3, np.random.default_rng(0))
    rows[1, 4] = change
    with pytest.raises(ValueError, match="no points of 'efficientnet'"):
        surrogate.predict(rows)


def test_a_million_rows_are_predicted_at_once_as_in_parts(surrogate: LinearSurrogate, genome: Genome) -> None:
    rows = genome.random(1_000_000, np.random.default_rng(2))
    parts = [surrogate.predict(part) for part in np.array_split(rows, 7)]
    np.testing.assert_allclose(surrogate.predict(rows), np.concatenate(parts), rtol=1e-12)


def test_the_file_says_where_its_numbers_come_from(surrogate: LinearSurrogate, genome: Genome) -> None:
    assert available_surrogates() == ["accel_nasbench"]
    assert surrogate.space_digest == genome.digest
    assert dict(surrogate.columns) == {column.name: list(column.candidates or ()) for column in genome.columns}
    assert "Accel-NASBench" in surrogate.source and surrogate.licence == "Apache-2.0"
    assert "16-epoch" in surrogate.predicts
    with pytest.raises(ValueError, match="did you mean 'accel_nasbench'"):
        load_surrogate("accel-nasbench")


def test_held_out_networks_are_predicted_within_the_bars(surrogate: LinearSurrogate, genome: Genome) -> None:
    networks = table()
    rows, inside = rows_of_table(networks, genome)
    held_out = inside & np.array([is_held_out(network["result_id"]) for network in networks])
    top1 = np.array([float(network["val_top1"]) for network in networks])
    measured = errors(surrogate, rows[held_out], top1[held_out])
    assert measured["spearman"] >= 0.97 and measured["mean_absolute_error"] <= 0.6
    assert measured == vars(surrogate.held_out)


def test_fitting_again_gives_the_shipped_file(
    surrogate: LinearSurrogate, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table()
    assert main([str(TABLE), "--output", str(tmp_path / "again.json")]) == 0
    assert f"held-out Spearman: {surrogate.held_out.spearman:.4f}" in capsys.readouterr().out
    again = LinearSurrogate.from_json((tmp_path / "again.json").read_text())
    genome = load_space("efficientnet").genome
    rows = genome.random(1000, np.random.default_rng(3))
    assert np.allclose(again.predict(rows), surrogate.predict(rows), atol=1e-6)
    assert replace(again, terms=(), totals=(), monomials=(), intercept=0) == replace(
        surrogate, terms=(), totals=(), monomials=(), intercept=0
    )


def test_the_fit_does_not_see_held_out_networks(tmp_path: Path) -> None:
    networks = table()
    for network in networks:
        if is_held_out(network["result_id"]):
            network["val_top1"] = str(100 - float(network["val_top1"]))
    changed = tmp_path / "changed.csv"
    with changed.open("w", newline="") as file:
        writer = csv.DictWriter(file, networks[0].keys())
        writer.writeheader()
        writer.writerows(networks)
    assert main([str(changed), "--output", str(tmp_path / "changed.json")]) == 0
    fitted = LinearSurrogate.from_json((tmp_path / "changed.json").read_text())
    shipped = load_surrogate("accel_nasbench")
    assert np.allclose([t.coefficient for t in fitted.terms], [t.coefficient for t in shipped.terms])
    assert fitted.held_out.spearman < -0.97 and fitted.held_out.mean_absolute_error > 10


def test_a_table_that_is_absent_or_another_one_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "absent.csv")]) == 2
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    assert main([str(tmp_path / "other.csv")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and "no file" in lines[0] and "val_top1" in lines[1]


def test_spearman_shares_ranks_among_ties() -> None:
    first, second = np.array([1.0, 2, 2, 3]), np.array([1.0, 3, 2, 4])
    assert spearman(first, second) == pytest.approx(4.5 / np.sqrt(4.5 * 5))
    assert spearman(first, -first) == pytest.approx(-1)
