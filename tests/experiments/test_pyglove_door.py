"""Loops of `pg.sample` that are recorded, shared by processes, killed and continued."""

import signal
import subprocess
import sys
from pathlib import Path

import pyglove as pg
import pytest

import autoglyph.experiments.pyglove  # noqa: F401
from autoglyph.algorithms import as_generator
from autoglyph.algorithms.regularized_evolution import RegularizedEvolution
from autoglyph.experiments.run import Run

WORKER = """
import sys, time
import pyglove as pg
import autoglyph.experiments.pyglove
hang = sys.argv[1] == "hang"
space = pg.Dict(a=pg.oneof(list(range(8))), b=pg.floatv(0.0, 1.0))
algorithm = pg.evolution.regularized_evolution(population_size=4, tournament_size=2)
for x, feedback in pg.sample(space, algorithm, 16, backend="autoglyph", name="r", store=sys.argv[2], lease_s=2.0):
    if hang:
        print("holding", flush=True)
        time.sleep(600)
    feedback(x.a + x.b)
"""


def test_the_trial_of_a_killed_worker_is_handed_out_again(tmp_path: Path) -> None:
    store = str(tmp_path / "a.db")
    command = [sys.executable, "-c", WORKER]
    with subprocess.Popen([*command, "hang", store], stdout=subprocess.PIPE, text=True) as hanging:
        assert hanging.stdout is not None and hanging.stdout.readline() == "holding\n"
        with subprocess.Popen([*command, "work", store]) as worker:
            hanging.send_signal(signal.SIGKILL)
            assert worker.wait(60) == 0
    run = Run.open("r", store)
    assert sorted(t.ask for t in run.trials) == list(range(16))
    assert all(t.status == "completed" for t in run.trials)


def sample(store: Path, trials: int) -> None:
    space = pg.Dict(a=pg.oneof(list(range(8))), b=pg.floatv(0.0, 1.0))
    generator = as_generator(RegularizedEvolution(population_size=4, tournament_size=2))
    for x, feedback in pg.sample(space, generator, trials, backend="autoglyph", name="r", store=store):
        if feedback.id == 3:
            feedback.skip("too slow")
            continue
        feedback.add_measurement(x.a / 2, step=1)
        feedback.add_measurement(x.a + x.b, step=2)
        assert not feedback.should_stop_early()
        feedback.done(metadata={"note": "kept"})


def test_a_continued_loop_is_the_one_left_alone(tmp_path: Path) -> None:
    sample(tmp_path / "a.db", 7)
    sample(tmp_path / "a.db", 14)
    sample(tmp_path / "b.db", 14)
    run = Run.open("r", tmp_path / "a.db")
    assert len(run) == 14 and run.trials[2].status == "failed"
    assert run.digest() == Run.open("r", tmp_path / "b.db").digest()
    result = pg.tuning.poll_result("r", backend="autoglyph", store=tmp_path / "a.db")
    assert len(result.trials) == 14 and result.trials[2].infeasible
    assert result.best_trial.final_measurement.reward == pytest.approx(run.fitness.max())
    assert result.best_trial.metadata.note == "kept"


def test_the_documented_examples_run(toy: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "pyglove.md").read_text()
    blocks = [part.partition("```")[0] for part in text.split("```python\n")[1:]]
    assert len(blocks) == 5
    usual = pg.tuning.default_backend()
    try:
        for block in blocks:
            exec(block, {})
    finally:
        pg.tuning.set_default_backend(usual)
    assert len(Run.open("climb", toy.parent / "autoglyph.db")) == 10
    assert len(Run.open("unedited", toy.parent / "autoglyph.db")) == 8
