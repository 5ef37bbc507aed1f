"""Candidates that compute the same take one result: recorded as copies, and the same again after any kill."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from conftest import Output

from autoglyph.experiments.experiment import from_description
from autoglyph.experiments.run import Run
from autoglyph.experiments.search import Search
from autoglyph.experiments.store import RunRecord, Store, TrialRecord

DOMAIN = """
import pyglove as pg
from autoglyph.child_programs.base import Measurement, Rung
from autoglyph.experiments import Domain, maximize
from autoglyph.search_spaces import SearchSpace
from autoglyph.search_spaces.expressions.fingerprint import Fingerprint

SPACE = SearchSpace("residues", pg.Dict(number=pg.oneof(list(range(60))), power=pg.oneof([1, 2, 3])))

class Training(pg.Object):
    @property
    def rungs(self):
        return [Rung(f"{n}", "steps", n) for n in (1, 2, 3)]

    def run(self, candidate, *, seed, data):
        with open("trained.log", "a") as file:
            print(candidate.number, file=file)
        if candidate.number % 12 == 5:
            raise RuntimeError("no such residue")
        for rung in range(3):
            yield Measurement(rung, {"quality": candidate.number % 12 * (rung + 1) + seed % 97 / 100}, 0.0)

def residue(candidate):
    number = candidate.number % 12
    return Fingerprint(str(number), "zero" if number == 0 else "")

DOMAIN = Domain(
    SPACE,
    program=Training(),
    objectives=[maximize("quality")],
    fingerprint=residue,
    load=lambda name, seed, program: None,
)
"""
MODES: dict[str, list[str]] = {
    "batches": ["--algorithm", "random"],
    "evolution": [],
    "asha": ["--algorithm", "random", "--hurdles", "asha"],
    "pdh": ["--hurdles", "pdh", "--set", "algorithm.population_size=10"],
    "in flight": ["--in-flight", "3"],
    "in flight, asha": ["--algorithm", "random", "--in-flight", "4", "--hurdles", "asha"],
}


@pytest.fixture
def residues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "residues.py"
    path.write_text(textwrap.dedent(DOMAIN))
    return path


def trained() -> list[int]:
    log = Path("trained.log")
    numbers = [int(line) for line in log.read_text().split()] if log.exists() else []
    log.unlink(missing_ok=True)
    return numbers


@pytest.mark.parametrize("mode", MODES)
def test_equal_candidates_are_trained_once_and_name_the_trial_they_copy(
    residues: Path, run_cli: Callable[..., Output], mode: str
) -> None:
    done = run_cli("search", residues, *MODES[mode], "--trials", "60", "--run", "r", "--json")
    assert done.code == 0, done.err
    classes = [number % 12 for number in trained()]
    assert len(set(classes)) == len(classes) and 0 not in classes, "each once, and none that is infeasible"
    trials = Run.open("r").trials
    assert len(trials) == 60
    numbers = {t.trial: Run.open("r").decisions(t.trial)["number"] % 12 for t in trials}
    firsts: dict[str, TrialRecord] = {}
    for trial in trials:
        assert trial.fingerprint is not None and trial.fingerprint == str(numbers[trial.trial])
        if trial.is_infeasible:
            assert trial.error == "Infeasible, not trained: zero." and numbers[trial.trial] == 0
            continue
        first = firsts.setdefault(trial.fingerprint, trial)
        assert trial.copies == (None if first is trial else first.trial)
        assert trial.metrics == first.metrics and trial.status == first.status
        if first is not trial:
            assert trial.rungs is None and trial.seconds == 0
            assert trial.error == (f"As trial {first.trial}, which computes the same." if first.error else None)
    assert any(t.copies is not None for t in trials) and any(t.is_infeasible for t in trials)
    assert done.json["copied"] == sum(t.copies is not None for t in trials)
    assert done.json["infeasible"] == sum(t.is_infeasible for t in trials)


@pytest.mark.parametrize("mode", MODES)
def test_a_search_killed_anywhere_goes_on_to_the_same_record(
    residues: Path, run_cli: Callable[..., Output], monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    written: list[TrialRecord] = []
    append = Store.append_trials

    def log(self: Store, run: int, trials: Sequence[TrialRecord]) -> None:
        written.extend(trials)
        append(self, run, trials)

    monkeypatch.setattr(Store, "append_trials", log)
    assert run_cli("search", residues, *MODES[mode], "--trials", "40", "--run", "r", "--json").code == 0
    monkeypatch.undo()
    monkeypatch.chdir(residues.parent)
    whole = Run.open("r")
    for cut in range(1, 40, 3):
        with Store(f"cut-{cut}.db", create=True) as store:
            run = store.create_run("r", "r", whole.record.experiment, whole.record.columns)
            store.append_trials(run.run, written[:cut])
            resume(store, run)
        found = Run.open("r", f"cut-{cut}.db")
        assert (
            len(found) == 40
            and {t.trial: t for t in found.trials}.items() >= {t.trial: t for t in written[:cut]}.items()
        )
        if mode != "in flight, asha":  # reports of unfinished children are not kept, and halving counts them
            assert found.digest() == whole.digest(), f"killed after {cut} records"


def resume(store: Store, run: RunRecord) -> None:
    experiment, domain = from_description(run.experiment)
    Search(experiment, domain).run(store, run)


def test_a_setting_trains_every_candidate(residues: Path, run_cli: Callable[..., Output]) -> None:
    options = ("--algorithm", "random", "--trials", "60", "--set", "fingerprints=false", "--run", "r", "--json")
    assert run_cli("search", residues, *options).code == 0
    assert len(trained()) == 60
    assert all(t.fingerprint is None and t.copies is None for t in Run.open("r").trials)


def test_show_says_what_was_not_trained(residues: Path, run_cli: Callable[..., Output]) -> None:
    options = ("--algorithm", "random", "--trials", "60", "--run", "r")
    text = run_cli("search", residues, *options).out
    assert "copied" in text and "infeasible" in text
    trials = Run.open("r").trials
    copy = next(t for t in trials if t.copies is not None)
    assert f"computes the same as trial {copy.copies}" in run_cli("show", "r", copy.trial).out
    assert run_cli("show", "r", copy.trial, "--json").json["copies"] == copy.copies
    bad = next(t for t in trials if t.is_infeasible)
    assert "Infeasible, not trained: zero." in run_cli("show", "r", bad.trial).out
    assert "copied" in run_cli("show", "r").out


@pytest.mark.ray
def test_two_workers_write_the_record_of_one(residues: Path, run_cli: Callable[..., Output]) -> None:
    options = ("--algorithm", "random", "--trials", "60", "--json")
    assert run_cli("search", residues, *options, "--run", "serial").code == 0
    assert run_cli("search", residues, *options, "--run", "ray", "--executor", "ray", "--workers", "2").code == 0
    assert Run.open("ray").digest() == Run.open("serial").digest()
    flight = ("--in-flight", "4", "--executor", "ray", "--workers", "2")
    assert run_cli("search", residues, *options, *flight, "--run", "flight").code == 0
    trials = Run.open("flight").trials
    arrivals = sorted(n for t in trials for n in json.loads(t.arrivals or "[]"))
    assert arrivals == list(range(len(arrivals))) and any(t.copies is not None for t in trials)
