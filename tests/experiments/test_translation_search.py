"""Searches of the Evolved Transformer's space by training: known starts, hurdles, failures, Ray, resuming."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from autoglyph.algorithms.nsga2 import NSGA2
from autoglyph.algorithms.tournament_evolution import TournamentEvolution
from autoglyph.experiments.domain import load_domain
from autoglyph.experiments.experiment import define
from autoglyph.experiments.known_start import decisions_of
from autoglyph.experiments.run import Run
from autoglyph.experiments.store import Store
from autoglyph.search_spaces import load_space

SPACE = load_space("evolved_transformer")
SMALL = SPACE.genome.to_json(
    decisions_of(
        SPACE.individual("transformer-tiny").clone(deep=True, override={"encoder_cells": 1, "decoder_cells": 1}), SPACE
    )
)
TINY = {
    "program.steps": "[1,2,3]",
    "program.limit": "40",
    "program.dimension": "32",
    "program.batch_tokens": "128",
    "program.parameters": "120000",
    "program.tolerance": "0.3",
    "algorithm.start": json.dumps(SMALL),
    "algorithm.population_size": "2",
    "algorithm.mutation_rate": "0.01",
    "algorithm.tournament_size": "2",
}


def settings(**changes: str) -> list[str]:
    return [word for path, value in {**TINY, **changes}.items() for word in ("--set", f"{path}={value}")]


def search(*options: str, trials: int = 6) -> list[str]:
    return [
        "search", "evolved_transformer", "--data", "copy", "--algorithm", "tournament_evolution", "--trials",
        str(trials), "--json", *options,
    ]  # fmt: skip


@pytest.mark.slow
def test_a_search_with_hurdles_from_a_small_transformer_goes_on(run_cli: Callable, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = [*settings(), "--hurdles", "pdh"]
    assert run_cli(*search(*words, "--run", "r", trials=4)).code == 0
    assert run_cli("resume", "r", "--json", "--trials", "5").code == 0
    run = Run.open("r")
    assert json.loads(run.trials[0].genes) == SMALL
    rungs = [json.loads(trial.rungs or "[]") for trial in run.trials]
    assert len(rungs) == 5 and all(set(r[0]) >= {"perplexity", "neg_log_perplexity", "token_accuracy"} for r in rungs)
    assert len(rungs[0]) == 1, "no hurdle was in force"
    with Store("autoglyph.db") as store:
        hurdles = [payload for _, kind, payload in store.events(run.record.run) if kind == "hurdle"]
    assert [(h["rung"], h["children"]) for h in hurdles] == [(0, 1), (1, 2)]
    for trial, measured in zip(run.trials, rungs, strict=True):
        gate = json.loads(trial.gate or "[]")
        passed = [m["neg_log_perplexity"] > g for m, g in zip(measured, gate, strict=False)]
        assert passed == [True] * (len(measured) - 1) + [False] * (len(measured) <= len(gate))


@pytest.mark.slow
def test_children_beyond_the_budget_are_recorded_as_failed(run_cli: Callable, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = settings(**{"program.tolerance": "0.001", "program.steps": "[1]"})
    assert run_cli(*search(*words, "--run", "r", trials=3)).code == 0
    trials = Run.open("r").trials
    assert [t.status for t in trials] == ["failed"] * 3
    assert all("brings this individual to 120,000 " in (t.error or "") and t.rungs == "[]" for t in trials)


@pytest.mark.ray
@pytest.mark.slow
def test_children_are_trained_on_ray(run_cli: Callable, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = [*settings(**{"program.steps": "[1,2]"}), "--hurdles", "pdh", "--in-flight", "2"]
    assert run_cli(*search(*words, "--run", "r", trials=4), "--executor", "ray", "--workers", "1").code == 0
    trials = Run.open("r").trials
    assert [t.status for t in trials] == ["completed"] * 4
    assert json.loads(trials[0].genes) == SMALL and len({t.genes for t in trials}) == 4


def test_a_known_start_is_proposed_once_with_many_in_flight() -> None:
    seed = decisions_of(SPACE.individual("transformer-base"), SPACE)
    for algorithm in (TournamentEvolution(start=seed.tolist()), NSGA2(start=seed.tolist())):
        algorithm.setup(SPACE.genome, 1, 0)
        rows = np.concatenate([algorithm.ask(1).rows for _ in range(4)])
        assert (rows == seed).all(axis=1).tolist() == [True, False, False, False]


def test_a_start_is_named_or_listed() -> None:
    seed = SPACE.genome.to_json(SPACE.genome.encode(SPACE.individual("transformer-base")))
    for text in ("transformer-base", json.dumps(seed)):
        experiment, _ = define(
            "evolved_transformer", algorithm="tournament_evolution", settings={"algorithm.start": text}
        )
        assert list(experiment.algorithm.start) == seed
    for name in ("transformer-big", "transformer-tiny"):
        row = decisions_of(SPACE.individual(name), SPACE)
        assert SPACE.feasible(row[None]).all()
        assert SPACE.genome.decode(row).encoder_cells == SPACE.individual(name).encoder_cells


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--set", "algorithm.start=transformer-tinny"), "did you mean 'transformer-tiny'"),
        (("--set", "algorithm.start=et-deep"), "no point of the space evolved_transformer"),
        (("--data", "reversed"), "did you mean 'reversal'"),
        (("--set", "program.steps=[2,1]"), "Expected steps that rise"),
        (("--accuracy", "none"), "neg_log_perplexity"),
    ],
)
def test_bad_options_are_one_sentence(
    run_cli: Callable, tmp_path: Path, monkeypatch, options: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run_cli("search", "evolved_transformer", "--algorithm", "tournament_evolution", *options)
    assert result.code == 2 and message in result.err and "Traceback" not in result.err


def test_costs_alone_can_be_searched(run_cli: Callable, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    costs = ("--accuracy", "none", "--objective", "min:latency_ms", "--objective", "min:parameters")
    assert run_cli("search", "evolved_transformer", *costs, "--trials", "4", "--run", "r", "--json").code == 0
    assert all(json.loads(t.metrics)["parameters"] > 1e6 for t in Run.open("r").trials)
    assert load_domain("evolved_transformer").accuracy_names == ["trained", "none"]
