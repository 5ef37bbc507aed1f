"""`autoglyph bench algorithms`: regret over simulated time."""

import csv
from pathlib import Path

import numpy as np
import pytest

from autoglyph.experiments.benchmarks import algorithms, tabular_problems
from autoglyph.experiments.benchmarks.regret_report import Regrets, rank_tests
from autoglyph.search_spaces.spaces.nasbench201 import SPACE, cell_text


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All cells, accuracies by the numbers of their operations; the last row was not trained to the end."""
    path = tmp_path_factory.mktemp("table") / "cells.csv"
    rows = SPACE.genome.rows_at(0, int(SPACE.genome.size))
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["arch_str", "acc12_cifar10_val", "acc200_cifar10_test_mean"])
        for row in rows[:-1]:
            long = 50.0 + float(row @ [1, 2, 1, 2, 1, 3])
            writer.writerow([cell_text(SPACE.genome.decode(row)), long - 10.0, long])
        writer.writerow([cell_text(SPACE.genome.decode(rows[-1])), 99.0, ""])
    return path


def test_a_problem_is_its_table(table: Path) -> None:
    problem = tabular_problems.nasbench201(table)
    rows = SPACE.genome.rows_at(0, 15625)
    assert problem.best == 50 + 4 * 10 - 1
    assert problem.curves(rows[:2]).tolist() == [[40.0, 50.0], [43.0, 53.0]]
    assert problem.curves(rows[-1:]).tolist() == [[99.0, -np.inf]]
    assert problem.amounts(rows[:2]).tolist() == [[12.0, 200.0]] * 2


@pytest.mark.slow
def test_all_tools_are_compared(table: Path, tmp_path: Path) -> None:
    found = algorithms.run(quick=True, table=table, picture=tmp_path / "regret.png")
    figures = found["figures"]
    tools = {key.partition(", ")[2] for key in figures if key.startswith("median final regret")}
    assert {"regularized_evolution", "ppo", "tournament_evolution with pdh", *algorithms.PEERS} <= tools
    assert all(figures[f"median final regret, {tool}"] >= 0 for tool in tools)
    assert sum(figures[f"mean rank, {tool}"] for tool in tools) == pytest.approx(len(tools) * (len(tools) + 1) / 2)
    assert (tmp_path / "regret.png").stat().st_size > 10_000


def test_regret_is_that_of_the_best_so_far() -> None:
    searches = {"a": [(np.array([10.0, 60.0, 105.0]), np.array([50.0, 40.0, 90.0]))]}
    regrets = Regrets.of(searches, best=100.0, budget=100.0)
    curve = regrets.curves["a"][0]
    assert np.isnan(curve[regrets.time < 10]).all()
    assert (curve[(regrets.time >= 10) & (regrets.time < 100)] == 50).all()
    assert regrets.final["a"].tolist() == [10.0]


def test_ranks_know_who_is_better_and_who_is_the_same() -> None:
    rng = np.random.default_rng(0)
    good = rng.random(50)
    tests = rank_tests({"good": good, "same": good.copy(), "bad": good + 1}, "good")
    assert tests["mean rank, good"] == 1.5 and tests["mean rank, bad"] == 3.0
    assert tests["Wilcoxon p-value (Holm), good against same"] == 1.0
    assert tests["Wilcoxon p-value (Holm), good against bad"] < 1e-6
    assert tests["Friedman p-value over all tools"] < 1e-6


def test_another_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--table"):
        algorithms.run()
    with pytest.raises(ValueError, match="There is no file"):
        algorithms.run(table=tmp_path / "none.csv")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"accel_nasbench\.csv"):
        algorithms.run(table=tmp_path / "other.csv")
