"""Children and workers that go wrong, each for real: nothing is lost or counted twice, and the record says it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import heed_interrupts
from ray_children import REFERENCE, SPACE

from autoglyph.experiments.executors.base import Executor, ExecutorOptions, Result, Task, make_executor
from autoglyph.experiments.executors.ray_instance import RayInstance, start_or_connect
from autoglyph.experiments.experiment import define, describe, describe_columns
from autoglyph.experiments.run import Run
from autoglyph.experiments.search import Search
from autoglyph.experiments.store import Store, StoreError

pytestmark = pytest.mark.ray

NAMES = [column.name for column in SPACE.genome.columns]
DEEDS = ["train", "raise", "nan", "hang", "hang_in_c", "die", "die_once", "eat", "eat_and_catch"]


@pytest.fixture(scope="module")
def ray_here() -> Iterator[RayInstance]:
    instance = start_or_connect(None, cpus=2)
    yield instance
    instance.stop()


def task(trial: int, does: str = "train", **changes: Any) -> Task:
    row = SPACE.genome.random(1, np.random.default_rng(0))[0] * 0
    row[NAMES.index("number")], row[NAMES.index("does")] = trial, DEEDS.index(does)
    return Task(trial, row, trial)._replace(**changes)


def executor(folder: Path, *, workers: int = 2, domain: str = "DOMAIN", **options: Any) -> Executor:
    settings = {"program.folder": str(folder), "program.seconds": str(options.pop("seconds", 0.0))}
    if domain == "DOMAIN":
        settings["program.bad_rung"] = "1"
    experiment, loaded = define(f"{REFERENCE}:{domain}", settings=settings)
    return make_executor("ray", experiment, loaded, ExecutorOptions(workers=workers, **options))


def run(executor: Executor, tasks: Sequence[Task]) -> dict[int, Result]:
    for each in tasks:
        executor.submit(each)
    results = list(executor.results())
    executor.close()
    assert sorted(r.trial for r in results) == sorted(t.trial for t in tasks), "each child ends once"
    return {r.trial: r for r in results}


def trained(folder: Path, trial: int) -> list[int]:
    """Rungs that were begun, in order."""
    return [int(line.split()[0]) for line in (folder / f"{trial}.log").read_text().splitlines()]


def sums(trial: int, rungs: int = 4) -> list[dict[str, float]]:
    """What a child of the domain measures."""
    steps = [trial + float(np.random.default_rng([trial, rung]).random()) for rung in range(rungs)]
    return [{"quality": value} for value in np.cumsum(steps).tolist()]


def test_one_bad_child_among_short_ones_fails_alone(ray_here: RayInstance, tmp_path: Path) -> None:
    bad = {20: "die", 31: "raise", 40: "nan", 50: "die_once"}
    results = run(executor(tmp_path, retries=1), [task(i, bad.get(i, "train")) for i in range(64)])
    for trial, result in results.items():
        if trial not in (20, 31, 40):
            assert result.error is None and result.rungs == sums(trial)
    error = results[20].error or ""
    assert error.startswith("Its worker was lost (") and error.endswith(") in attempt 2, the last.")
    assert len(trained(tmp_path, 20)) >= 4, "two attempts of two rungs"
    assert "RuntimeError: no such layer" in (results[31].error or "")
    assert results[40].error is None and np.isnan(results[40].rungs[1]["quality"])
    assert any("their worker was lost" in note for note in results[50].notes)


def test_a_worker_killed_in_the_middle_of_a_rung_costs_that_rung(ray_here: RayInstance, tmp_path: Path) -> None:
    children = executor(tmp_path, seconds=0.4)
    killer = threading.Thread(target=kill_in_rung, args=(tmp_path, 0, 2))
    killer.start()
    results = run(children, [task(0), task(1)])
    killer.join()
    assert trained(tmp_path, 0) == [0, 1, 2, 2, 3]
    assert trained(tmp_path, 1) == [0, 1, 2, 3]
    for trial in (0, 1):
        assert results[trial].error is None and results[trial].rungs == sums(trial)
    (note,) = results[0].notes
    assert note.startswith("Its worker was lost (") and note.endswith("attempt 1 of 3; it goes on after rung 1.")


def kill_in_rung(folder: Path, trial: int, rung: int) -> None:
    while not (folder / f"{trial}.log").exists() or rung not in trained(folder, trial):
        time.sleep(0.01)
    time.sleep(0.1)
    os.kill(int((folder / f"{trial}.log").read_text().split()[-1]), signal.SIGKILL)


def test_a_child_without_checkpoints_begins_again(ray_here: RayInstance, tmp_path: Path) -> None:
    children = executor(tmp_path, seconds=0.3, domain="FORGETFUL")
    killer = threading.Thread(target=kill_in_rung, args=(tmp_path, 0, 2))
    killer.start()
    results = run(children, [task(0), task(1)])
    killer.join()
    assert trained(tmp_path, 0) == [0, 1, 2, 0, 1, 2, 3]
    assert results[0].error is None and results[0].rungs == sums(0)
    assert results[0].notes[0].endswith("it begins again.")


def test_children_that_wait_outlive_their_worker(ray_here: RayInstance, tmp_path: Path) -> None:
    children = executor(tmp_path)
    tasks = [task(i, "die_once" if i == 5 else "train", stepwise=True) for i in range(8)]
    for each in tasks:
        children.submit(each)
    last: dict[int, Result] = {}
    waiting_notes: list[str] = []
    for _ in range(5):
        for result in children.results():
            assert (
                len(result.rungs) == len(last[result.trial].rungs) + 1 if result.waits and result.trial in last else 1
            )
            last[result.trial] = result
            waiting_notes += result.notes if result.waits else ()
        for trial, result in last.items():
            if result.waits:
                children.proceed(trial)
    children.close()
    assert {t: r.rungs for t, r in last.items()} == {t.trial: sums(t.trial) for t in tasks}
    assert all(r.error is None and not r.waits for r in last.values())
    assert any("While it waited, its worker was lost" in note for r in last.values() for note in r.notes)
    assert waiting_notes, "a child that is stopped by its hurdles tells what happened before"


@pytest.mark.parametrize("does", ["hang", "hang_in_c"])
def test_a_child_that_hangs_is_ended_and_its_worker_replaced(ray_here: RayInstance, tmp_path: Path, does: str) -> None:
    tasks = [task(i, does if i == 3 else "train") for i in range(12)]
    results = run(executor(tmp_path, child_seconds=1.0), tasks)
    assert results[3].error == "It ran past its limit of 1 s."
    assert results[3].notes[-1] == "It ran past its limit of 1 s."
    assert all(r.error is None and r.rungs == sums(t) for t, r in results.items() if t != 3)


@pytest.mark.parametrize("does", ["eat", "eat_and_catch"])
def test_a_child_that_eats_memory_is_stopped(ray_here: RayInstance, tmp_path: Path, does: str) -> None:
    tasks = [task(i, does if i == 3 else "train") for i in range(12)]
    results = run(executor(tmp_path, child_memory_gb=0.2), tasks)
    error = results[3].error or ""
    if does == "eat":
        assert error.endswith("MemoryError\n") and "_misbehave" in error
    else:
        assert error == "It took more memory than its limit of 0.2 GB."
    assert all(r.error is None and r.rungs == sums(t) for t, r in results.items() if t != 3)


def test_the_record_says_what_happened(ray_here: RayInstance, tmp_path: Path) -> None:
    settings = {"program.folder": str(tmp_path), "program.bad_rung": "1"}
    experiment, domain = define(REFERENCE, algorithm="exhaustive", trials=2 * len(DEEDS), settings=settings)
    options = ExecutorOptions(workers=2, retries=0, child_seconds=1.0, child_memory_gb=0.2)
    search = Search(experiment, domain, executor="ray", options=options)
    with Store(tmp_path / "r.db", create=True) as store:
        record = store.create_run("r", "r", describe(experiment, domain), describe_columns(domain))
        assert search.run(store, record).reason == "budget"
        events = [payload for _, kind, payload in store.events(record.run) if kind == "worker"]
    finished = Run.open("r", tmp_path / "r.db")
    assert len(finished) == 2 * len(DEEDS)
    happened = set()
    for trial in finished.trials:
        does = finished.decisions(trial.trial)["does"]
        happened.add(does)
        good = does in ("train", "nan", "die_once")
        if does != "die_once":
            assert (trial.status == "completed") == good, f"{does}: {trial.error}"
        if trial.status == "failed" and does not in ("raise", "eat"):
            assert trial.error in [event["what"] for event in events if event["trial"] == trial.trial]
        assert (finished.fitness[trial.trial, 0] == -np.inf) == (trial.status == "failed"), "NaN was not last"
    assert happened == set(DEEDS)


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "autoglyph.experiments.cli", *map(str, arguments)]


def recorded(store: Path) -> int:
    try:
        with Store(store) as opened:
            return sum(opened.trial_counts().values())
    except StoreError:
        return 0


def descendants(pid: int) -> list[int]:
    found = [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return found + [d for child in found for d in descendants(child) if Path(f"/proc/{child}").exists()]


def start_search(store: Path, folder: Path, *more: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        command(
            *("search", REFERENCE, "--algorithm", "random", "--trials", "24", "--run", "r", "--store", store),
            *("--set", f"program.folder={folder}", "--set", "program.seconds=0.2", "--executor", "ray"),
            *("--workers", "2", *more),
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_interrupts,
    )
    while process.poll() is None and recorded(store) < 6:
        time.sleep(0.02)
    return process


def assert_all_gone(processes: Sequence[int]) -> None:
    until = time.monotonic() + 20
    while left := [pid for pid in processes if is_running(pid)]:
        assert time.monotonic() < until, [name_of(pid) for pid in left]
        time.sleep(0.1)


def name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    except OSError:
        return ""


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_killed_driver_is_resumed_without_losing_or_doubling_a_trial(tmp_path: Path) -> None:
    store, folder = tmp_path / "r.db", tmp_path / "logs"
    folder.mkdir()
    process = start_search(store, folder, "--in-flight", "4", "--hurdles", "asha")
    started = descendants(process.pid)
    agents = [pid for pid in started if name_of(pid).endswith("Agent")]
    while not list(tmp_path.glob("r.db.checkpoints/*/*.npz")):  # until a child waits between two rungs
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kept = Run.open("r", store)
    assert 1 <= len(kept) < 24
    assert len(agents) == 2 and len(started) >= 6, "raylet, its agents and workers"
    assert_all_gone([pid for pid in started if pid not in agents])  # those try for a minute to say so
    again = command("resume", "r", "--store", store, "--executor", "ray", "--workers", "2", "--json")
    subprocess.run(again, check=True, capture_output=True)
    whole = Run.open("r", store)
    assert [t for t in whole.trials if t.trial in {k.trial for k in kept.trials}] == kept.trials
    assert [t.trial for t in whole.trials] == list(range(24))
    for path in folder.glob("*.log"):
        rungs = [int(line.split()[0]) for line in path.read_text().splitlines()]
        assert rungs == sorted(rungs) and len(rungs) - len(set(rungs)) <= 1, (
            "only the rung that was cut is trained twice"
        )
    assert not list(tmp_path.glob("r.db.checkpoints/*"))
    digest = whole.digest()
    replayed = subprocess.run(command("resume", "r", "--store", store, "--json"), capture_output=True, text=True)
    assert replayed.returncode == 0, replayed.stderr
    assert Run.open("r", store).digest() == digest


def test_ctrl_c_ends_the_workers_too(tmp_path: Path) -> None:
    store = tmp_path / "r.db"
    process = start_search(store, tmp_path)
    started = descendants(process.pid)
    assert len(started) >= 6, "raylet, its agents and workers"
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "autoglyph resume r" in err and "Traceback" not in err
    assert "best so far" in out and "raylet" not in out + err
    assert_all_gone(started)
    with Store(store) as opened:
        assert opened.events(1)[-1][1] == "interrupted"
