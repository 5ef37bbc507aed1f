"""Children on Ray: the same record as without it, short children together, long ones apart."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Output
from ray_children import REFERENCE, SPACE

from autoglyph.experiments.executors.base import ExecutorOptions, Result, Task, make_executor
from autoglyph.experiments.executors.ray_instance import RayInstance, start_or_connect
from autoglyph.experiments.executors.ray_workers import WorkerPool
from autoglyph.experiments.experiment import define, describe, describe_columns
from autoglyph.experiments.run import Run
from autoglyph.experiments.search import Search
from autoglyph.experiments.store import Store

pytestmark = pytest.mark.ray


@pytest.fixture(scope="module")
def ray_here() -> Iterator[RayInstance]:
    instance = start_or_connect(None, cpus=4)
    yield instance
    instance.stop()


def search(run_cli: Callable[..., Output], store: Path, executor: str, *arguments: str) -> Run:
    workers = ["--workers", "2"] if executor == "ray" else []
    done = run_cli(
        "search", *arguments, "--run", executor, "--store", store, "--executor", executor, *workers, "--json"
    )
    assert done.code == 0, done.err
    assert done.json["run"] == executor
    return Run.open(executor, store)


@pytest.mark.parametrize(
    "arguments",
    [
        ["toy.py:TRAINED", "--trials", "60"],
        ["RAY", "--algorithm", "random", "--trials", "40", "--hurdles", "pdh"],
        ["RAY", "--algorithm", "random", "--trials", "40", "--hurdles", "asha"],
        ["RAY:FORGETFUL", "--algorithm", "random", "--trials", "40", "--hurdles", "asha"],
    ],
)
def test_serial_and_ray_give_the_same_record(
    ray_here: RayInstance, toy: Path, run_cli: Callable[..., Output], arguments: list[str]
) -> None:
    arguments = [arguments[0].replace("RAY", REFERENCE), *arguments[1:]]
    serial = search(run_cli, toy.parent / "r.db", "serial", *arguments)
    ray = search(run_cli, toy.parent / "r.db", "ray", *arguments)
    assert len(serial) > 30
    assert ray.digest() == serial.digest()
    assert not (toy.parent / "r.db.checkpoints").exists(), "nothing is left of children that are over"


EMPTY = """
import pyglove as pg
from autoglyph.experiments import Domain, maximize
from autoglyph.search_spaces import SearchSpace

SPACE = SearchSpace("empty", pg.Dict(x=pg.oneof(list(range(100))), y=pg.oneof(list(range(1000)))))

def train(candidate, *, seed, data):
    yield {"quality": float(candidate.x)}

DOMAIN = Domain(SPACE, program=train, objectives=[maximize("quality")], load=lambda name, seed, program: None)
"""


def test_empty_children_are_all_recorded(ray_here: RayInstance, tmp_path: Path) -> None:
    """How many a second is what `autoglyph bench executor` prints."""
    path = tmp_path / "empty.py"
    path.write_text(EMPTY)
    experiment, domain = define(str(path), algorithm="random", trials=2000)
    search = Search(experiment, domain, executor="ray", options=ExecutorOptions(workers=2))
    with Store(tmp_path / "r.db", create=True) as store:
        record = store.create_run("empty", "empty", describe(experiment, domain), describe_columns(domain))
        search.run(store, record)
        assert store.trial_counts() == {record.run: 2000}


def wait_for_all(executor: Any) -> None:
    """Until every worker has started; a search begins with the first."""
    while any(worker.start is not None for worker in executor._pool.workers):
        executor._gather()


def tasks(n: int, **settings: object) -> list[Task]:
    rows = np.zeros((n, len(SPACE.genome.columns)), SPACE.genome.random(1, np.random.default_rng(0)).dtype)
    names = [column.name for column in SPACE.genome.columns]
    rows[:, names.index("number")] = np.arange(n) % 64
    return [Task(i, rows[i], i) for i in range(n)]


@pytest.mark.parametrize(("seconds", "sizes"), [(1e-6, {64}), (0.02, {2}), (1.0, {1})])
def test_short_children_travel_together_and_long_ones_alone(
    ray_here: RayInstance, monkeypatch: pytest.MonkeyPatch, seconds: float, sizes: set[int]
) -> None:
    """What a child took so far says how many are sent in one call, without a look at the clock."""
    sent: list[int] = []
    send = WorkerPool.send

    def counted(self: WorkerPool, worker: Any, requests: Sequence[Any], *limits: Any) -> None:
        sent.append(len(requests))
        send(self, worker, requests, *limits)

    monkeypatch.setattr(WorkerPool, "send", counted)
    experiment, domain = define(REFERENCE)
    executor = make_executor("ray", experiment, domain, ExecutorOptions(workers=2))
    wait_for_all(executor)
    executor._mean_s = seconds  # type: ignore[attr-defined]
    for task in tasks(600):
        executor.submit(task)
    executor._dispatch()  # type: ignore[attr-defined]
    executor.close()
    assert set(sent) == sizes


def test_two_workers_train_at_the_same_time(ray_here: RayInstance, tmp_path: Path) -> None:
    """How many times the children two workers complete is for `autoglyph bench executor` to say."""
    settings = {"program.seconds": "0.1", "program.num_rungs": "1", "program.folder": str(tmp_path)}
    experiment, domain = define(REFERENCE, settings=settings)
    executor = make_executor("ray", experiment, domain, ExecutorOptions(workers=2))
    wait_for_all(executor)
    for task in tasks(24):
        executor.submit(task)
    assert sorted(result.trial for result in executor.results()) == list(range(24))
    executor.close()
    begun: dict[str, list[float]] = {}
    for log in tmp_path.glob("*.log"):  # each child writes its worker when it begins, and then sleeps
        begun.setdefault(log.read_text().split()[1], []).append(log.stat().st_mtime)
    first, second = begun.values()
    beside = sum(any(abs(own - other) < 0.1 for other in second) for own in first)
    assert len(first) + len(second) == 24 and min(len(first), len(second)) >= 6
    assert beside > len(first) / 2


def test_results_can_be_followed_by_new_tasks(ray_here: RayInstance) -> None:
    experiment, domain = define(REFERENCE)
    executor = make_executor("ray", experiment, domain, ExecutorOptions(workers=2))
    waiting = tasks(300)
    executor.submit(waiting.pop())
    done: list[Result] = []
    for result in executor.results():
        done.append(result)
        for task in waiting[-2:]:
            executor.submit(task)
        del waiting[-2:]
    executor.close()
    assert sorted(result.trial for result in done) == list(range(300))
    assert all(result.error is None and len(result.rungs) == 4 for result in done)


def test_a_child_that_waits_is_asked_rung_by_rung(ray_here: RayInstance) -> None:
    experiment, domain = define(REFERENCE)
    executor = make_executor("ray", experiment, domain, ExecutorOptions(workers=2))
    for task in tasks(6):
        executor.submit(task._replace(stepwise=True))
    rungs: dict[int, int] = {}
    over = []
    for result in executor.results():
        if not result.waits:
            over.append(result.trial)
            continue
        rungs[result.trial] = len(result.rungs)
        if result.trial % 2 and len(result.rungs) == 2:
            executor.stop(result.trial)
        else:
            executor.proceed(result.trial)
    executor.close()
    assert rungs == {0: 4, 1: 2, 2: 4, 3: 2, 4: 4, 5: 2}
    assert sorted(over) == [0, 2, 4]


def test_an_asynchronous_run_is_replayed_as_it_was(
    ray_here: RayInstance, tmp_path: Path, run_cli: Callable[..., Output]
) -> None:
    store = tmp_path / "r.db"
    arguments = [REFERENCE, "--trials", "30", "--in-flight", "4", "--hurdles", "asha", "--set", "program.seconds=0.01"]
    run = search(run_cli, store, "ray", *arguments)
    again = run_cli("resume", "ray", "--trials", "36", "--store", store, "--json")
    assert again.code == 0, again.err
    longer = Run.open("ray", store)
    assert longer.trials[:30] == run.trials
    assert len(longer) == 36
    arrivals = sorted(n for t in longer.trials for n in json.loads(t.arrivals or "[]"))
    assert arrivals == list(range(len(arrivals))), "every report has a place of its own"


def test_workers_that_find_no_room_are_refused(
    ray_here: RayInstance, toy: Path, run_cli: Callable[..., Output]
) -> None:
    done = run_cli("search", "toy.py:TRAINED", "--executor", "ray", "--workers", "5")
    assert done.code == 2
    assert done.err == (
        "autoglyph: Ray has room for 4 workers of 1 cores and 0 accelerators: "
        "ask for fewer --workers, or for less with --cpus and --gpus.\n"
    )
