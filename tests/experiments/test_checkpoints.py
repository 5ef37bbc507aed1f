"""Children that are kept between rungs: found again by the same run, and by no other."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from ray_children import REFERENCE, SPACE

from autoglyph.experiments.executors.base import ExecutorOptions, Task, make_executor
from autoglyph.experiments.executors.checkpoints import Checkpoints, Saved
from autoglyph.experiments.experiment import define

ROW = SPACE.genome.random(1, np.random.default_rng(0))[0]
TASK = Task(7, ROW, 11)
SAVED = Saved(({"quality": 0.1 + 0.2}, {"quality": float("nan")}), 1.5, b"\x00state\xff")


def opened(folder: Path, run: str = "a") -> Checkpoints:
    checkpoints = Checkpoints(folder)
    checkpoints.begin(run)
    return checkpoints


def test_a_child_is_found_again_as_it_was(tmp_path: Path) -> None:
    opened(tmp_path / "c").save(TASK, SAVED)
    found = opened(tmp_path / "c").load(TASK)
    assert repr(found) == repr(SAVED)


@pytest.mark.parametrize(
    ("run", "task"),
    [("b", TASK), ("a", TASK._replace(trial=8)), ("a", TASK._replace(seed=12)), ("a", TASK._replace(row=ROW + 1))],
)
def test_it_is_found_by_no_other(tmp_path: Path, run: str, task: Task) -> None:
    opened(tmp_path).save(TASK, SAVED)
    assert opened(tmp_path, run).load(task) == Saved()


def test_a_damaged_file_counts_as_absent(tmp_path: Path) -> None:
    opened(tmp_path).save(TASK, SAVED)
    (path,) = tmp_path.glob("*/7.npz")
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert opened(tmp_path).load(TASK) == Saved()
    pickled = np.array([{"a": os.getcwd}], dtype=object)
    np.savez(path, about=pickled, state=pickled)
    assert opened(tmp_path).load(TASK) == Saved(), "nothing in it is run"


def test_files_go_when_children_are_over_and_folders_with_the_last(tmp_path: Path) -> None:
    checkpoints = opened(tmp_path / "c")
    for trial in (7, 8):
        checkpoints.save(TASK._replace(trial=trial), SAVED)
        checkpoints.end(trial)
    assert len(list(tmp_path.glob("c/*/*.npz"))) == 2, "until the result is recorded"
    checkpoints.sweep()
    assert not list(tmp_path.glob("c/*/*"))
    checkpoints.close()
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("stepwise", [False, True])
def test_a_driver_that_was_killed_goes_on_with_its_child(tmp_path: Path, stepwise: bool) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    task = Task(0, ROW * 0, 5, stepwise=stepwise)
    experiment, domain = define(REFERENCE, settings={"program.folder": str(logs)})

    def begun() -> list[int]:
        return [int(line.split()[0]) for line in (logs / "5.log").read_text().splitlines()]

    def measured(run: str, stop_after: int = 100) -> list[float]:
        executor = make_executor("serial", experiment, domain, ExecutorOptions(checkpoints=tmp_path / "c"))
        executor.begin(run)
        executor.submit(task)
        values: list[float] = []
        for result in executor.results():
            values = [rung["quality"] for rung in result.rungs]
            if result.waits and len(values) == stop_after:
                return values
            if result.waits:
                executor.proceed(0)
        executor.close()
        return values

    whole = measured("whole")
    assert begun() == [0, 1, 2, 3] and len(whole) == 4
    if stepwise:
        assert measured("killed", stop_after=2) == whole[:2]
    else:
        experiment.rebind({"program.bad_rung": 2, "program.always": "interrupt"})
        with pytest.raises(KeyboardInterrupt):
            measured("killed")
        experiment.rebind({"program.bad_rung": -1})
    assert measured("killed") == whole
    assert begun()[4:] in ([0, 1, 2, 3], [0, 1, 2, 2, 3])
    assert not (tmp_path / "c").exists()
