"""Searches over expressions: nothing that a candidate computes stops a run, and what is equal is trained once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import Output

from autoglyph.child_programs.datasets import DEFAULT_VALIDATION_SHARE, load_dataset
from autoglyph.child_programs.expressions.repeated_training import RepeatedTraining
from autoglyph.child_programs.expressions.training import ExpressionTraining
from autoglyph.experiments.benchmarks.fingerprints import compute_the_same, count, expression_domains
from autoglyph.experiments.domain import built_in_names, load_domain
from autoglyph.experiments.presets import activation_search
from autoglyph.experiments.run import Run
from autoglyph.experiments.store import Store
from autoglyph.search_spaces.expressions.fingerprint import fingerprint
from autoglyph.search_spaces.expressions.parser import parse
from autoglyph.search_spaces.expressions.vocabulary import ACTIVATION, BACKPROP, OPTIMIZER, Vocabulary

QUICK = ("--set", "program.steps=[4]", "--set", "program.hidden=8")
MISBEHAVING = """
from autoglyph.child_programs.expressions.training import ExpressionTraining
from autoglyph.experiments import Domain, maximize
from autoglyph.search_spaces import SearchSpace
from autoglyph.search_spaces.expressions.fingerprint import fingerprint
from autoglyph.search_spaces.expressions.parser import parse
from autoglyph.search_spaces.expressions.vocabulary import ACTIVATION
import pyglove as pg

TEXTS = ["exp(exp(x))", "x / (x - x)", "beta", "x - x", "sqrt(x)", "x", "cube(cube(x))", "cosh(x) * x", "tanh(x)"]
DOMAIN = Domain(
    SearchSpace("misbehaving", pg.oneof([parse(text, ACTIVATION) for text in TEXTS])),
    objectives=[maximize("accuracy")],
    program=ExpressionTraining(steps=[20], hidden=16, learning_rate=2.0),
    fingerprint=fingerprint,
)
"""


def test_every_domain_of_expressions_trains_them_and_knows_their_fingerprints() -> None:
    trains = [
        name
        for name in built_in_names()
        if isinstance(load_domain(name).program, (ExpressionTraining, RepeatedTraining))
    ]
    assert expression_domains() == trains and len(trains) >= 9


@pytest.mark.parametrize("name", ["activation_2", "optimizer_rule_2", "backprop_rule"])
def test_random_candidates_end_as_results_copies_or_infeasible(
    tmp_path: Path, run_cli: Callable[..., Output], name: str
) -> None:
    store = tmp_path / "r.db"
    options = ("--algorithm", "random", "--trials", "40", *QUICK, "--run", "r", "--store", store, "--json")
    done = run_cli("search", name, *options)
    assert done.code == 0, done.err
    run = Run.open("r", store)
    assert len(run) == 40 and done.json["infeasible"] > 3
    for trial in run.trials:
        if trial.is_infeasible:
            assert trial.error is not None and trial.error.startswith("Infeasible, not trained: ")
        elif trial.status == "failed":
            assert trial.error is not None and "ChildFailed" in trial.error
        else:
            assert 0 <= json.loads(trial.metrics)["accuracy"] <= 100
    with Store(tmp_path / "cut.db", create=True) as cut:
        record = cut.create_run("r", "r", run.record.experiment, run.record.columns)
        cut.append_trials(record.run, run.trials[:25])
    assert run_cli("resume", "r", "--store", tmp_path / "cut.db", "--json").code == 0
    assert Run.open("r", tmp_path / "cut.db").digest() == run.digest()


def test_the_best_of_a_run_is_replayed_as_an_expression(tmp_path: Path, run_cli: Callable[..., Output]) -> None:
    store = tmp_path / "r.db"
    done = run_cli("search", "optimizer_rule", "--trials", "6", *QUICK, "--run", "r", "--store", store, "--json")
    assert done.code == 0, done.err
    run = Run.open("r", store)
    best = run.trial(int(run.front[-1]))
    replayed = run_cli("replay", "r:best", "--store", store, "--export", tmp_path / "found.py", "--json").json
    assert replayed["model"] == f"r:{best.trial}"
    assert replayed["recorded"]["accuracy"] == json.loads(best.metrics)["accuracy"]
    compile((tmp_path / "found.py").read_text(), "found.py", "exec")


@pytest.mark.parametrize("fingerprints", ["true", "false"])
def test_overflow_division_by_zero_and_constants_do_not_stop_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_cli: Callable[..., Output], fingerprints: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("misbehaving.py").write_text(MISBEHAVING)
    options = ("--algorithm", "exhaustive", "--set", f"fingerprints={fingerprints}", "--run", "r", "--json")
    assert run_cli("search", "misbehaving.py", *options).code == 0
    run = Run.open("r")
    assert [t.status for t in run.trials] == ["failed"] * 8 + ["completed"]
    assert run.num_infeasible == (7 if fingerprints == "true" else 0)
    errors = [t.error or "" for t in run.trials]
    for why, error in zip(
        ["explosive", "explosive", "constant", "constant", "non-finite", "identity"], errors, strict=False
    ):
        assert why in error
    assert "The loss of step" in errors[7] or "no finite" in errors[7] or "validation loss" in errors[7]


@pytest.mark.parametrize(
    "genes",
    [
        "[\"__import__('os').system('touch ran')\",0,0,0,0]",
        "[99,0,0,0,0]",
        '[{"_type": "os.system"},0,0,0,0]',
        "[0]",
        "[1e999,0,0,0,0]",
    ],
)
def test_a_hand_edited_record_runs_no_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_cli: Callable[..., Output], genes: str
) -> None:
    monkeypatch.chdir(tmp_path)
    search = ("search", "activation", "--algorithm", "random", "--trials", "3", *QUICK, "--run", "r", "--json")
    assert run_cli(*search).code == 0
    with sqlite3.connect("autoglyph.db") as database:
        database.execute("DROP TRIGGER trials_never_change")
        database.execute("UPDATE trials SET genes = ? WHERE trial = 0", (genes,))
    database.close()
    for command in (("replay", "r:0", "--summary"), ("resume", "r", "--trials", "5")):
        done = run_cli(*command)
        assert done.code == 2 and "Traceback" not in done.err and done.err.strip()
    assert not Path("ran").exists()


def test_repeated_training_is_the_mean_of_its_seeds_whatever_the_trial() -> None:
    data = load_dataset("digits", seed=0, validation_share=DEFAULT_VALIDATION_SHARE)
    swish = load_domain("activation").space.individual("swish")
    repeated = RepeatedTraining(seeds=[3, 4], steps=10, hidden=8)
    (one,), (other,) = (list(repeated.run(swish, seed=seed, data=data)) for seed in (0, 1))
    assert one.values == other.values and [rung.amount for rung in repeated.rungs] == [10]
    single = ExpressionTraining(steps=[10], hidden=8)
    found = [list(single.run(swish, seed=seed, data=data))[-1].values for seed in (3, 4)]
    assert one.values["accuracy"] == pytest.approx(np.mean([values["accuracy"] for values in found]))


@pytest.mark.parametrize(
    ("words", "one", "other"),
    [
        (OPTIMIZER, "clip_1e5(rmsprop)", "clip_1e5(g)"),
        (OPTIMIZER, "clip_1e3(sign_m)", "clip_1e3(adam)"),
        (BACKPROP, "max(sqrt_abs(g_dfa), norm_columns_2(g_bp))", "sqrt_abs(g_dfa)"),
        (ACTIVATION, "min(log_abs(x), beta + max(x**2, cosh(x)))", "min(cosh(x), log_abs(x))"),
    ],
)
def test_what_differs_in_corners_alone_is_told_apart(words: Vocabulary, one: str, other: str) -> None:
    a, b = parse(one, words), parse(other, words)
    assert not compute_the_same(a, b) and fingerprint(a).key != fingerprint(b).key


@pytest.mark.parametrize(
    ("name", "candidates"), [("activation", 800), ("optimizer_rule", 1000), ("backprop_rule_2", 300)]
)
def test_fingerprints_save_training_and_merge_what_is_equal(name: str, candidates: int) -> None:
    found = count(name, candidates)
    assert found["saved"] > 0.15 and found["merged_pairs"] >= 10
    assert found["wrong_merges"] <= 0.005


@pytest.mark.slow
def test_presets_run_in_a_small_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from autoglyph.experiments.presets import propagation_rule_search, update_rule_search

    store = tmp_path / "table.db"
    activation_search.exhaustive(store, 0, tmp_path / "table.png", smoke=True)
    table = json.loads(capsys.readouterr().out)
    assert table["trained"] + table["copied"] + table["infeasible"] == table["points"] == 300
    activation_search.ppo(store, 2, tmp_path / "ppo.png", smoke=True)
    needed = json.loads(capsys.readouterr().out)
    assert needed["points"] == 300 and needed["best_1_percent"]["ppo"]["median"] >= 1
    update_rule_search.main(tmp_path / "u.db", 0, 0, tmp_path / "u.png", smoke=True)
    rules = json.loads(capsys.readouterr().out)
    assert rules["trials"] == 12 and len(rules["held_out"]) == 3
    assert all(len(each) >= 4 for each in rules["held_out"].values())
    propagation_rule_search.main(tmp_path / "p.db", 0, 0, tmp_path / "p.png", smoke=True)
    errors = json.loads(capsys.readouterr().out)
    assert errors["trials"] == 20 and errors["rules"]["backprop"]["same_rate"]["learning_rate"] == 0.05
    assert all((tmp_path / f"{name}.png").stat().st_size > 1000 for name in ("table", "ppo", "u", "p"))
