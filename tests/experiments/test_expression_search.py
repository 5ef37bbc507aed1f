"""Searches of expressions by training: hopeless candidates fail alone, the back-end is a setting that is recorded."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Output

from autoglyph.experiments.executors.ray_instance import RayInstance, start_or_connect
from autoglyph.experiments.run import Run

SMALL = ["--set", "program.steps=[4,8]", "--set", "program.hidden=8", "--set", "program.learning_rate=0.5"]


@pytest.fixture(scope="module")
def ray_here() -> Iterator[RayInstance]:
    instance = start_or_connect(None, cpus=2)
    yield instance
    instance.stop()


def search(run_cli: Callable[..., Output], space: str, run: str, *options: str) -> Run:
    done = run_cli("search", space, "--algorithm", "random", *SMALL, *options, "--run", run, "--json")
    assert done.code == 0, done.err
    return Run.open(run)


@pytest.mark.parametrize("space", ["activation_3", "optimizer_rule_extended", "backprop_rule"])
def test_hopeless_candidates_never_stop_a_run(
    run_cli: Callable[..., Output], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, space: str
) -> None:
    monkeypatch.chdir(tmp_path)
    run = search(run_cli, space, "r", "--trials", "30")
    failed = [trial for trial in run.trials if trial.status == "failed"]
    done = [trial for trial in run.trials if trial.status == "completed"]
    assert len(run.trials) == 30 and len(failed) + len(done) == 30 and len(failed) > 2 and len(done) > 2
    assert run.record.experiment["program"]["backend"] == "numpy"


@pytest.mark.ray
def test_serial_and_ray_give_the_same_record(
    ray_here: RayInstance, run_cli: Callable[..., Output], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    serial = search(run_cli, "activation_2", "s", "--trials", "24")
    ray = search(run_cli, "activation_2", "r", "--trials", "24", "--executor", "ray", "--workers", "2")
    assert ray.digest() == serial.digest()


def test_an_unknown_back_end_is_refused(
    run_cli: Callable[..., Output], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run_cli("search", "activation", "--trials", "3", "--set", "program.backend=jax")
    assert done.code == 2 and "jax" in done.err and "numpy" in done.err


@pytest.mark.slow
def test_keras_scores_by_the_same_program(
    run_cli: Callable[..., Output], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    numpy = search(run_cli, "optimizer_rule", "n", "--trials", "3")
    keras = search(run_cli, "optimizer_rule", "k", "--trials", "3", "--set", "program.backend=keras")
    assert "tensorflow" in sys.modules and keras.record.experiment["program"]["backend"] == "keras"
    for a, b in zip(numpy.trials, keras.trials, strict=True):
        assert a.genes == b.genes and a.status == b.status
