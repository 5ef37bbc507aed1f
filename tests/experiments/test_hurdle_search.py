"""Searches with hurdles and with children in flight: what is recorded, killed and resumed."""

import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from autoglyph.experiments.run import Run
from autoglyph.experiments.store import SCHEMA_VERSION, Store

CURVES = """
import time
import pyglove as pg
from autoglyph.search_spaces import SearchSpace
from autoglyph.experiments import Domain, maximize

space = SearchSpace("curves", pg.Dict(a=pg.oneof(range(10)), b=pg.oneof(range(10)), c=pg.oneof(range(10))))

def train(candidate, *, seed, data):
    if candidate.a == 3 and candidate.b == 3:
        raise RuntimeError("a child that fails")
    quality = candidate.a + candidate.b - 0.1 * candidate.a * candidate.b
    for steps in (1, 2, 4):
        time.sleep(PAUSE)
        yield {"quality": quality - (1 + candidate.c) * steps**-0.5}

DOMAIN = Domain(space=space, program=train, objectives=[maximize("quality")], rungs=[1, 2, 4], load=lambda *_: None)
"""
EVOLUTION = (
    "--algorithm", "tournament_evolution", "--set", "algorithm.population_size=16",
    "--set", "algorithm.tournament_size=5", "--set", "algorithm.mutation_rate=0.4",
)  # fmt: skip
MODES = [("pdh", "0"), ("pdh", "4"), ("asha", "0"), ("asha", "4")]


@pytest.fixture
def curves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "curves.py"
    path.write_text(CURVES.replace("PAUSE", "0"))
    (tmp_path / "slow.py").write_text(CURVES.replace("PAUSE", "0.002"))
    return path


@pytest.mark.parametrize(("hurdles", "in_flight"), MODES)
def test_children_that_are_stopped_cost_less(run_cli: Callable, curves: Path, hurdles: str, in_flight: str) -> None:
    plain = ("search", curves, *EVOLUTION, "--trials", "120", "--in-flight", in_flight, "--json")
    assert run_cli(*plain, "--run", "all").code == 0
    assert run_cli(*plain, "--run", "some", "--hurdles", hurdles).code == 0
    everything, some = Run.open("all"), Run.open("some")
    rungs = [len(json.loads(t.rungs or "[]")) for t in some.trials]
    assert {1, 2} <= set(rungs) and sum(rungs) < 0.8 * sum(len(json.loads(t.rungs or "[]")) for t in everything.trials)
    assert len({t.genes for t in some.trials}) == 120
    reports = sorted(n for t in some.trials for n in json.loads(t.arrivals or "[]"))
    assert reports == (list(range(len(reports))) if in_flight != "0" else [])
    if hurdles == "pdh":
        check_gates(some)


def check_gates(run: Run) -> None:
    """Each child has as many hurdles as were in force, and went on exactly while it exceeded them."""
    with Store("autoglyph.db") as store:
        events = [payload for _, kind, payload in store.events(run.record.run) if kind == "hurdle"]
    assert [e["rung"] for e in events] == [0, 1]
    known = [e["value"] for e in events]
    for trial in run.trials:
        gate = json.loads(trial.gate or "[]")
        assert gate == known[: len(gate)]
        values = [rung["quality"] for rung in json.loads(trial.rungs or "[]")]
        for rung, value in enumerate(values[:-1]):
            assert value > gate[rung]
        if trial.status == "completed" and len(values) <= len(gate):
            assert not values[-1] > gate[len(values) - 1]
    assert [len(json.loads(t.gate or "[]")) for t in run.trials][0] == 0
    assert max(len(json.loads(t.gate or "[]")) for t in run.trials) == 2


@pytest.mark.slow
@pytest.mark.parametrize(("hurdles", "in_flight"), MODES)
def test_a_killed_search_becomes_the_one_left_alone(curves: Path, hurdles: str, in_flight: str) -> None:
    moments = random.Random(f"{hurdles}{in_flight}")
    command = [sys.executable, "-m", "autoglyph.experiments.cli"]
    search = [
        *command,
        "search",
        "slow.py",
        *EVOLUTION,
        "--trials",
        "150",
        "--run",
        "r",
        "--json",
        "--hurdles",
        hurdles,
    ]
    search += ["--in-flight", in_flight]
    subprocess.run([*search, "--store", "alone.db"], check=True, capture_output=True)
    alone = Run.open("r", "alone.db")
    process = subprocess.Popen([*search, "--store", "killed.db"], stdout=subprocess.DEVNULL)
    wanted = moments.randrange(20, 130)
    while process.poll() is None and recorded("killed.db") < wanted:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert recorded("killed.db") < 150
    kept = Run.open("r", "killed.db").trials
    subprocess.run([*command, "resume", "r", "--store", "killed.db", "--json"], check=True, capture_output=True)
    again = Run.open("r", "killed.db")
    known = {t.trial: t for t in again.trials}
    assert all(known[t.trial] == t for t in kept), "what was finished is as it was"
    assert len(again) == 150 and len({t.genes for t in again.trials}) == 150
    if (hurdles, in_flight) != ("asha", "4"):  # reports of unfinished children are not kept, and halving counts them
        assert again.digest() == alone.digest()
        with Store("alone.db") as first, Store("killed.db") as second:
            assert hurdle_events(first) == hurdle_events(second)


def recorded(path: str) -> int:
    if not Path(path).exists():
        return 0
    try:
        return int(sqlite3.connect(path).execute("SELECT count(*) FROM trials").fetchone()[0])
    except sqlite3.Error:
        return 0


def hurdle_events(store: Store) -> list[dict]:
    return [payload for _, kind, payload in store.events(1) if kind == "hurdle"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--hurdles", "phd"), "did you mean 'pdh'"),
        (("--hurdles", "asha", "--set", "hurdles.eta=1"), "eta of at least 2"),
        (("--workers", "2"), "--executor ray"),
        (("--executor", "rya"), "Unknown executor"),
    ],
)
def test_bad_options_are_one_sentence(run_cli: Callable, curves: Path, options: tuple[str, ...], message: str) -> None:
    result = run_cli("search", curves, *options)
    assert result.code == 2 and message in result.err and "Traceback" not in result.err


def test_only_trained_children_take_hurdles(run_cli: Callable, toy: Path) -> None:
    for options in (("--hurdles", "pdh"), ("--in-flight", "3")):
        result = run_cli("search", toy, *options)
        assert result.code == 2 and "--accuracy trained" in result.err
    unknown = run_cli("search", f"{toy}:TRAINED", "--hurdles", "pdh")
    assert unknown.code == 2 and "does not say its rungs" in unknown.err


def test_a_record_of_the_version_before_is_brought_up_to_date(run_cli: Callable, toy: Path) -> None:
    assert run_cli("search", toy, "--trials", "5", "--run", "old", "--json").code == 0
    before = Run.open("old").trials
    database = sqlite3.connect("autoglyph.db")
    for column in ("gate", "arrivals", "fingerprint", "copies", "recorded"):
        database.execute(f"ALTER TABLE trials DROP COLUMN {column}")
    database.execute("PRAGMA user_version = 1")
    database.close()
    assert Run.open("old").trials == before
    assert sqlite3.connect("autoglyph.db").execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    assert run_cli("resume", "old", "--trials", "9", "--json").code == 0


def test_show_tells_who_was_trained_and_by_which_hurdles(run_cli: Callable, curves: Path) -> None:
    search = ("search", curves, *EVOLUTION, "--trials", "120", "--hurdles", "pdh", "--run", "r", "--json")
    assert run_cli(*search).code == 0
    value = run_cli("show", "r", "--json").json
    assert sum(value["rungs"].values()) == 120 and [h["rung"] for h in value["hurdles"]] == [0, 1]
    text = run_cli("show", "r").out
    assert "Hurdle after rung 1, set after" in text and "Trained:" in text
    last = max(t.trial for t in Run.open("r").trials)
    assert "to exceed for the next" in run_cli("show", "r", str(last)).out
