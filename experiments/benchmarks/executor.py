"""Children per second of the Ray executor, against bare Ray actors and Ray Tune.

All run on two workers of this machine and are timed once they are warm. A child of ours is proposed, sent, decoded,
run and recorded; a bare actor is called and does nothing; a trial of Tune is an empty class with one step. What two
workers save is measured on children that sleep.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyglove as pg

from autoglyph.experiments.domain import Domain
from autoglyph.experiments.executors.base import ExecutorOptions
from autoglyph.experiments.experiment import define, describe, describe_columns
from autoglyph.experiments.objectives import maximize
from autoglyph.experiments.search import Progress, Search
from autoglyph.experiments.store import Store
from autoglyph.search_spaces import SearchSpace

WORKERS = 2
SLEEP_SECONDS = 0.1
_CALLS_IN_FLIGHT = 2 * WORKERS
_CHILDREN_IN_FLIGHT = 4 * WORKERS
_SPACE = SearchSpace("empty_children", pg.List([pg.oneof(range(8)) for _ in range(10)]))


def _empty(candidate: Any, *, seed: int, data: Any) -> Iterator[dict[str, float]]:
    yield {"quality": float(candidate[0])}


def _asleep(candidate: Any, *, seed: int, data: Any) -> Iterator[dict[str, float]]:
    time.sleep(SLEEP_SECONDS)
    yield {"quality": float(candidate[0])}


def _domain(program: Any) -> Domain:
    return Domain(_SPACE, program=program, objectives=[maximize("quality")], load=lambda name, seed, program: None)


EMPTY = _domain(_empty)
ASLEEP = _domain(_asleep)


def run(*, quick: bool = False) -> dict[str, Any]:
    """Measures our executors, bare actors and Tune on an instance of Ray that is started here.

    Args:
        quick: measure fewer children.

    Returns:
        "ratios": how many times the children of each peer the Ray executor completes, and those of two workers
        against one; "figures": children, calls or trials per second, and seconds a trial of Tune.
    """
    from autoglyph.experiments.executors.ray_instance import start_or_connect

    children = 4_000 if quick else 30_000
    _say("the serial executor")
    serial = _children_per_s("EMPTY", "serial", 1, children)
    _say("starting Ray")
    instance = start_or_connect(None, cpus=WORKERS)
    try:
        _say(f"the Ray executor with {WORKERS} workers")
        ours = _children_per_s("EMPTY", "ray", WORKERS, children)
        _say("bare actors")
        calls = _actor_calls_per_s(children)
        _say("children that sleep")
        naps = 24 if quick else 160
        one, two = (_children_per_s("ASLEEP", "ray", workers, naps, _CHILDREN_IN_FLIGHT) for workers in (1, WORKERS))
        _say("Ray Tune with reuse of actors")
        reusing = _tune_trials_per_s(40 if quick else 200, reuse=True)
        _say("Ray Tune without reuse of actors")
        starting = _tune_trials_per_s(4 if quick else 16, reuse=False)
    finally:
        instance.stop()
    return {
        "bench": "executor",
        "ratios": {
            "bare_actor_calls": ours / calls,
            "tune_reusing_actors": ours / reusing,
            "tune_starting_actors": ours / starting,
            "two_workers_against_one_on_sleep": two / one,
        },
        "figures": {
            "ray_children_per_s": ours,
            "serial_children_per_s": serial,
            "bare_actor_calls_per_s": calls,
            "tune_reusing_actors_trials_per_s": reusing,
            "tune_starting_actors_trials_per_s": starting,
            "tune_reusing_actors_s_per_trial": 1 / reusing,
            "tune_starting_actors_s_per_trial": 1 / starting,
            "one_worker_sleeping_children_per_s": one,
            "two_workers_sleeping_children_per_s": two,
        },
    }


def _children_per_s(domain_name: str, executor: str, workers: int, children: int, in_flight: int = 0) -> float:
    """Children a second that a random search records, from the time when a quarter of them are there."""
    reference = f"{Path(__file__).resolve()}:{domain_name}"
    experiment, domain = define(reference, algorithm="random", trials=children, accuracy="trained", in_flight=in_flight)
    options = ExecutorOptions(workers=workers if executor == "ray" else None)
    search = Search(experiment, domain, executor=executor, options=options)
    seen: list[Progress] = []
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "bench.db", create=True) as store:
        record = store.create_run("bench", "bench", describe(experiment, domain), describe_columns(domain))
        finished = search.run(store, record, seen.append)
        recorded = store.trial_counts()[record.run]
    if recorded != children:
        raise RuntimeError(f"{recorded} of {children} children were recorded ({finished.reason}).")
    warm = next(progress for progress in seen if progress.trials >= children // 4)
    return (recorded - warm.trials) / (finished.wall_s - warm.elapsed_s)


def _actor_calls_per_s(calls: int) -> float:
    import ray

    class Empty:
        def work(self, number: int) -> int:
            return number

    actors: list[Any] = [ray.remote(Empty).options(num_cpus=1).remote() for _ in range(WORKERS)]
    ray.get([actor.work.remote(0) for actor in actors])
    under_way = {actors[i % WORKERS].work.remote(i): actors[i % WORKERS] for i in range(_CALLS_IN_FLIGHT)}
    done, warm_s = 0, 0.0
    started = time.perf_counter()
    while done < calls:
        (ready,), _ = ray.wait(list(under_way), num_returns=1)
        actor = under_way.pop(ready)
        under_way[actor.work.remote(ray.get(ready))] = actor
        done += 1
        if done == calls // 4:
            warm_s = time.perf_counter() - started
    seconds = time.perf_counter() - started - warm_s
    ray.get(list(under_way))
    for actor in actors:
        ray.kill(actor)
    return (calls - calls // 4) / seconds


def _tune_trials_per_s(trials: int, *, reuse: bool) -> float:
    """Trials a second between the completion of the first quarter and that of the last one."""
    from ray import tune

    class Empty(tune.Trainable):
        def step(self) -> dict[str, Any]:
            return {"quality": 1.0, "done": True}

        def reset_config(self, new_config: Any) -> bool:
            return True

    clock = _clock_of_trials()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        tuner = tune.Tuner(
            Empty,
            tune_config=tune.TuneConfig(num_samples=trials, max_concurrent_trials=WORKERS, reuse_actors=reuse),
            run_config=tune.RunConfig(
                storage_path=folder,
                verbose=0,
                callbacks=[clock],
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            ),
        )
        results = tuner.fit()
        if len(results) != trials or results.errors:
            raise RuntimeError(f"Ray Tune completed {len(results) - len(results.errors)} of {trials} trials.")
    completed_s: list[float] = clock.completed_s
    return (trials - trials // 4) / (completed_s[-1] - completed_s[trials // 4 - 1])


def _clock_of_trials() -> Any:
    from ray import tune

    class Clock(tune.Callback):
        def __init__(self) -> None:
            self.completed_s: list[float] = []

        def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
            self.completed_s.append(time.perf_counter())

    return Clock()


def _say(what: str) -> None:
    print(f"bench executor: {what}", file=sys.stderr)
