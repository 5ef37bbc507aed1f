"""Workers of a recorded `pg.sample`: leases, terms, early stopping, groups, several objectives."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyglove as pg
import pytest

import autoglyph.experiments.pyglove  # noqa: F401
from autoglyph.experiments.pyglove.heartbeat import Heartbeat
from autoglyph.experiments.pyglove.tables import visible
from autoglyph.experiments.run import Run
from autoglyph.experiments.store import Store, StoreError

SPACE = pg.Dict(a=pg.oneof(list(range(8))), b=pg.floatv(0.0, 1.0))
EVOLUTION = pg.evolution.regularized_evolution(population_size=4, tournament_size=2)


def sample(store: Path, trials: int | None = 8, name: str = "r", **options: Any) -> Iterator[Any]:
    options = {"algorithm": EVOLUTION, "lease_s": 60.0, **options}
    algorithm = options.pop("algorithm")
    return iter(pg.sample(SPACE, algorithm, trials, backend="autoglyph", name=name, store=store, **options))


def test_a_heartbeat_beats_until_it_is_stopped() -> None:
    beats, first, second = [], threading.Event(), threading.Event()

    def beat() -> None:
        beats.append(1)
        (first if len(beats) == 1 else second).set()

    heart = Heartbeat(beat, 0.01)
    assert first.wait(60) and second.wait(60)
    heart.stop()
    assert len(beats) >= 2


HOLDER = """
import sys
import pyglove as pg
import autoglyph.experiments.pyglove
space = pg.Dict(a=pg.oneof(list(range(8))), b=pg.floatv(0.0, 1.0))
algorithm = pg.evolution.regularized_evolution(population_size=4, tournament_size=2)
for x, feedback in pg.sample(space, algorithm, 1, backend="autoglyph", name="r", store=sys.argv[1], lease_s=0.4):
    print("holding", flush=True)
    sys.stdin.readline()
    feedback(5.0)
    print("told", flush=True)
"""


def test_a_living_worker_keeps_its_trial_and_a_killed_one_loses_it(tmp_path: Path) -> None:
    store = tmp_path / "a.db"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(store)], **pipes) as living:
        assert living.stdout and living.stdin and living.stdout.readline() == "holding\n"
        waited, taken = threading.Event(), []

        def wait() -> None:
            for _, feedback in sample(store, 1, lease_s=0.4):
                taken.append(feedback.id)
                feedback(1.0)
            waited.set()

        other = threading.Thread(target=wait)
        other.start()
        assert not waited.wait(2.0), "five leases long the living worker computes"
        living.stdin.write("go\n")
        living.stdin.flush()
        assert living.wait(60) == 0
        other.join(60)
    assert not taken and Run.open("r", store).metrics["reward"].tolist() == [5.0]

    store = tmp_path / "b.db"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(store)], **pipes) as killed:
        assert killed.stdout and killed.stdout.readline() == "holding\n"
        os.kill(killed.pid, signal.SIGKILL)
        for _, feedback in sample(store, 1, lease_s=0.4):
            feedback(1.0)
    assert Run.open("r", store).metrics["reward"].tolist() == [1.0]


def expire(store: Path) -> None:
    """Lets all leases run out, as time would for a worker that was killed."""
    import sqlite3

    db = sqlite3.connect(store)
    db.execute("UPDATE pyglove_trials SET lease = 0 WHERE status = 'PENDING'")
    db.commit()
    db.close()


def test_a_worker_that_lost_its_trial_is_refused_and_the_next_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    store = tmp_path / "a.db"
    (_, lost), late = next(first := sample(store, 1, group="first")), sample(store, 1, group="second")
    lost.add_measurement(1.0, step=1, checkpoint_path="step-1")
    lost.add_measurement(2.0, step=2, checkpoint_path="step-2")
    expire(store)
    _, taken = next(late)
    assert taken.id == lost.id and taken.checkpoint_to_warm_start_from == "step-2"
    with pytest.raises(pg.tuning.RaceConditionError, match="handed to another worker"):
        lost.add_measurement(3.0, step=3)
    lost.done()
    assert taken.status == "PENDING", "what the lost worker says changes nothing"
    taken.add_measurement(1.5, step=2)
    assert [(m.step, m.reward) for m in taken.get_trial().measurements] == [(1, 1.0), (2, 1.5)]
    taken.done(metadata={"note": "kept"}, related_links={"log": "http://example.org/1"})
    assert next(first, None) is None and next(late, None) is None
    result = pg.tuning.poll_result("r", backend="autoglyph", store=store)
    (trial,) = result.trials
    assert trial.final_measurement.reward == 1.5 and trial.related_links.log == "http://example.org/1"
    assert dict(trial.metadata) == {"note": "kept"} and trial.completed_time >= trial.created_time
    assert len(Run.open("r", store)) == 1


def test_measurements_of_an_earlier_term_give_way_from_the_step_on_that_is_measured_anew() -> None:
    reports = [{"step": s, "term": 0} for s in (1, 2, 3)] + [{"step": 2, "term": 1}, {"step": 2, "term": 1}]
    assert visible(reports) == [{"step": 1}, {"step": 2}, {"step": 2}]


def test_a_loop_that_is_left_gives_its_trial_back(tmp_path: Path) -> None:
    for _, _feedback in sample(tmp_path / "a.db", 2, lease_s=0.2, group="left"):
        break
    for _, feedback in sample(tmp_path / "a.db", 2, lease_s=0.2, group="other"):
        feedback(1.0)
    assert sorted(t.ask for t in Run.open("r", tmp_path / "a.db").trials) == [0, 1]


def test_workers_of_a_group_work_on_one_trial(tmp_path: Path) -> None:
    store = tmp_path / "a.db"
    (_, one), (_, two), (_, other) = (next(sample(store, group=g)) for g in ("pair", "pair", 7))
    assert one.id == two.id != other.id
    one.set_metadata("weights", [1, 2])
    assert two.get_metadata("weights") == [1, 2] and other.get_metadata("weights") is None
    one.set_metadata("shared", "yes", per_trial=False)
    assert other.get_metadata("shared", per_trial=False) == "yes"
    one(1.0)
    two.skip()
    assert two.status == "COMPLETED" and Run.open("r", store).metrics["reward"].tolist() == [1.0]
    with pytest.raises(ValueError, match="cannot be written as JSON"):
        other.set_metadata("code", print)


def stopped(store: Path, limits: tuple[int, ...], policy: Any) -> list[tuple[int, int]]:
    """Trials that were stopped, and at which step; every process of the loop ends after so many trials."""
    found = []
    for limit in limits:
        for x, feedback in sample(store, limit, early_stopping_policy=policy):
            for step in (1, 2, 3):
                feedback.add_measurement((x.a + x.b) * step, step=step)
                if feedback.should_stop_early():
                    found.append((feedback.id, step))
                    feedback.skip("hopeless")
                    break
            else:
                feedback.done()
    return found


def test_early_stopping_goes_on_after_a_kill_as_if_nothing_had_happened(tmp_path: Path) -> None:
    policy = pg.early_stopping.early_stop_by_rank([(1, 0.5, 3), (3, 2, 4)])()
    whole = stopped(tmp_path / "a.db", (24,), policy)
    parts = stopped(tmp_path / "b.db", (9, 10, 17, 24), policy)
    assert whole == parts and {step for _, step in whole} == {1, 3}
    run = Run.open("r", tmp_path / "b.db")
    assert run.digest() == Run.open("r", tmp_path / "a.db").digest()
    failed = [t.ask + 1 for t in run.trials if t.status == "failed"]
    assert failed == [trial for trial, _ in whole] and run.trials[failed[0] - 1].error == "hopeless"


def test_two_processes_agree_on_early_stopping(tmp_path: Path) -> None:
    policy = pg.early_stopping.early_stop_by_rank([(1, 1, 1)])()
    loops = [sample(tmp_path / "a.db", 6, early_stopping_policy=policy, group=g) for g in "ab"]
    best, answers = -1.0, []
    for turn in range(6):
        x, feedback = next(loops[turn % 2])
        value = x.a + x.b
        feedback.add_measurement(value, step=1)
        answers.append((feedback.should_stop_early(), turn > 0 and value < best))
        assert feedback.should_stop_early() == answers[-1][0], "asking twice changes nothing"
        best = max(best, value)
        feedback.done()
    assert [a for a, _ in answers] == [b for _, b in answers] and any(a for a, _ in answers)


def test_several_objectives_are_told_and_recorded(tmp_path: Path) -> None:
    nsga2 = pg.evolution.nsga2(population_size=3)
    options = {"algorithm": nsga2, "metrics_to_optimize": ["x", "y"]}
    for limit in (7, 12):
        for x, feedback in sample(tmp_path / "a.db", limit, **options):
            feedback((float(x.a), -x.b) if feedback.id % 2 else None, metrics={"x": float(x.a), "y": -x.b})
    for x, feedback in sample(tmp_path / "b.db", 12, **options):
        feedback((float(x.a), -x.b))
    run = Run.open("r", tmp_path / "a.db")
    assert run.fitness.shape == (12, 2) and len(run.front) >= 1
    assert run.digest() == Run.open("r", tmp_path / "b.db").digest()
    with pytest.raises(ValueError, match="takes one metric"):
        next(sample(tmp_path / "a.db", metrics_to_optimize=["x", "y"]))


def test_the_record_says_when_it_took_a_trial(tmp_path: Path) -> None:
    began = time.time()
    for x, feedback in sample(tmp_path / "a.db", 3):
        feedback(float(x.a))
    with Store(tmp_path / "a.db") as store:
        times = store.columns(store.runs()[0].run, ["recorded"])
    assert times == sorted(times) and began - 0.01 <= times[0] and times[-1] <= time.time() + 0.01


def test_a_reward_that_is_no_number_is_infeasible_and_not_told(tmp_path: Path) -> None:
    for _, feedback in sample(tmp_path / "a.db", 4):
        feedback(float("nan") if feedback.id == 2 else 1.0)
    run = Run.open("r", tmp_path / "a.db")
    assert [t.status for t in run.trials] == ["completed", "failed", "completed", "completed"]
    assert "not finite" in run.trials[1].error


def test_an_algorithm_that_ends_early_ends_the_loop_once_all_is_told(tmp_path: Path) -> None:
    space = pg.oneof([1, 2, 3])
    loops = [
        pg.sample(space, pg.geno.Sweeping(), backend="autoglyph", name="s", store=tmp_path / "a.db", group=g)
        for g in "ab"
    ]
    seen = []
    for loop in (*loops, loops[0]):
        x, feedback = next(loop)
        seen.append(x)
        feedback(x)
    assert sorted(seen) == [1, 2, 3] and [next(loop, None) for loop in loops] == [None, None]


def test_only_recorded_loops_are_polled(tmp_path: Path, toy: Path, run_cli: Any) -> None:
    assert run_cli("search", toy, "--trials", "5", "--run", "other", "--json").code == 0
    with pytest.raises(StoreError, match="autoglyph show other"):
        pg.tuning.poll_result("other", backend="autoglyph", store=toy.parent / "autoglyph.db")
