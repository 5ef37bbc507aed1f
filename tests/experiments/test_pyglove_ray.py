"""The example of PyGlove's own documentation, not edited, in two Ray workers of which one is killed."""

import os
import signal
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyglove as pg
import pytest

from autoglyph.experiments.executors.ray_instance import RayInstance, start_or_connect
from autoglyph.experiments.run import Run

HELD_CALL = 21  # the example asks for two ranges a trial: the victim is held within its eleventh
WAITING_CALL = 61  # the other one waits within its thirty-first until then, so that both have a part of the trials
LEASE_S = 2.0


def documented_loop() -> str:
    """The example in the docstring of `pg.hyper.DynamicEvaluationContext`, as it stands."""
    _, _, rest = str(pg.hyper.DynamicEvaluationContext.__doc__).partition("Example::\n")
    return textwrap.dedent(rest)


def work(source: str, store: str, pid_file: str, hold: bool) -> int:
    """Runs the example; a worker that is to be killed writes its process and waits for that within a trial."""
    import autoglyph.experiments.pyglove as door

    door.record_loops(store, name="documented", lease_s=LEASE_S)
    calls = 0

    def counted_range(*bounds: int) -> range:
        nonlocal calls
        calls += 1
        if hold and calls == HELD_CALL:
            Path(pid_file).write_text(str(os.getpid()))
            time.sleep(600)
        while not hold and calls == WAITING_CALL and not os.path.exists(pid_file):
            time.sleep(0.02)
        return range(*bounds)

    names: dict[str, Any] = {"pg": pg, "range": counted_range}
    exec(source, names)
    return int(names["best_reward"])


@pytest.fixture(scope="module")
def ray_here() -> Iterator[RayInstance]:
    instance = start_or_connect(None, cpus=2)
    yield instance
    instance.stop()


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_the_documented_example_survives_the_kill_of_either_worker(
    ray_here: RayInstance, tmp_path: Path, victim: int
) -> None:
    import ray

    source, store, pid_file = documented_loop(), tmp_path / "a.db", tmp_path / "pid"
    assert "pg.sample" in source and "backend" not in source and "num_examples=100" in source
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    remote = ray.remote(max_retries=0, num_cpus=1)(work)
    workers = [remote.remote(source, str(store), str(pid_file), worker == victim) for worker in range(2)]
    while not (pid_file.exists() and pid_file.read_text()):
        ended, _ = ray.wait([workers[victim]], timeout=0.05)
        assert not ended, ray.get(ended)
    os.kill(int(pid_file.read_text()), signal.SIGKILL)
    with pytest.raises(ray.exceptions.RayError):
        ray.get(workers[victim], timeout=120)
    best = ray.get(workers[1 - victim], timeout=120)
    run = Run.open("documented", store)
    assert sorted(t.ask for t in run.trials) == list(range(100)), "every trial once"
    assert [t.trial for t in run.trials] == list(range(100))
    assert all(t.status == "completed" for t in run.trials)
    assert run.metrics["reward"].max() >= best
    assert run.metrics["reward"].max() > run.metrics["reward"][:32].mean()
