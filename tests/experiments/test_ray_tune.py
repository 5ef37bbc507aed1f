"""Autoglyph in Ray Tune: the same search as without it, hurdles as the rule has them, restored runs that go on."""

from __future__ import annotations

import copy
import json
import math
import re
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyglove as pg
import pytest
import tune_children
from ray import cloudpickle, tune
from tune_children import DOMAIN, REFERENCE, RUNGS, SPACE, Child, Curve, loss

from autoglyph.algorithms import Algorithm
from autoglyph.algorithms.exhaustive import Exhaustive
from autoglyph.algorithms.hurdles import Finished
from autoglyph.algorithms.hurdles import progressive_dynamic_hurdles as rules
from autoglyph.algorithms.hurdles.base import passes_gate
from autoglyph.algorithms.nsga2 import NSGA2
from autoglyph.algorithms.random import Random
from autoglyph.algorithms.regularized_evolution import RegularizedEvolution
from autoglyph.experiments import maximize, minimize
from autoglyph.experiments.executors.ray_instance import start_or_connect
from autoglyph.experiments.experiment import define, describe, describe_columns
from autoglyph.experiments.ray_tune import AutoglyphSearcher, ProgressiveDynamicHurdles, individual
from autoglyph.experiments.ray_tune.driven_search import DrivenSearch
from autoglyph.experiments.search import Search
from autoglyph.experiments.store import Store, TrialRecord
from autoglyph.search_spaces import SearchSpace

PAGE = Path(__file__).resolve().parents[2] / "docs" / "ray_tune.md"
EVOLUTION = RegularizedEvolution(population_size=6, tournament_size=3)


@pytest.fixture(scope="module")
def ray_here() -> Iterator[None]:
    cloudpickle.register_pickle_by_value(tune_children)  # workers do not see this folder
    instance = start_or_connect(None, cpus=2)
    yield
    instance.stop()
    cloudpickle.unregister_pickle_by_value(tune_children)


@pytest.fixture(autouse=True)
def saved_at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNE_GLOBAL_CHECKPOINT_S", "0")


def search_without_tune(folder: Path, reference: str, trials: int, **options: Any) -> list[TrialRecord]:
    """The record of the same search by Autoglyph's own loop, one child in flight."""
    experiment, domain = define(reference, trials=trials, accuracy="trained", in_flight=1, seed=3, **options)
    search = Search(experiment, domain)
    with Store(folder / "r.db", create=True) as store:
        run = store.create_run("r", "r", describe(experiment, domain), describe_columns(domain))
        search.run(store, run)
        return store.trials(run.run)


def make_tuner(
    folder: Path, trainable: Any, trials: int, searcher: Any, scheduler: Any = None, values: Any = None, **more: Any
) -> tune.Tuner:
    settings = {"max_concurrent_trials": 1, "reuse_actors": True, **more}
    return tune.Tuner(
        trainable,
        param_space=values,
        tune_config=tune.TuneConfig(search_alg=searcher, scheduler=scheduler, num_samples=trials, **settings),
        run_config=tune.RunConfig(
            name="run",
            storage_path=str(folder),
            verbose=0,
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            callbacks=[StopOnce(str(folder))],
        ),
    )


class StopOnce(tune.Callback):
    """Takes the driver down after so many trials as a file says, as a crash would, once."""

    def __init__(self, folder: str) -> None:
        self.order = Path(folder, "stop")

    def on_step_end(self, iteration: int, trials: Any, **info: Any) -> None:
        over = sum(trial.is_finished() for trial in trials)
        if self.order.exists() and over >= int(self.order.read_text()):
            self.order.unlink()
            raise KeyError("crash")


def in_order(results: Any) -> list[Any]:
    """Results by number of the trial; each number once."""
    found = sorted(results, key=lambda result: result.config["individual"]["trial"])
    assert [result.config["individual"]["trial"] for result in found] == list(range(len(found)))
    return found


def rungs_of(result: Any) -> int:
    return sum(rung <= (result.metrics or {}).get("training_iteration", 0) for rung in RUNGS)


def assert_same_search(results: Any, record: list[TrialRecord]) -> None:
    found = in_order(results)
    assert [result.config["individual"]["genes"] for result in found] == [json.loads(trial.genes) for trial in record]
    assert [rungs_of(result) for result in found] == [len(json.loads(trial.rungs or "[]")) for trial in record]
    assert [result.error is not None for result in found] == [trial.status == "failed" for trial in record]


@pytest.mark.ray
@pytest.mark.slow
def test_tune_searches_as_autoglyph_does_and_goes_on_after_a_crash(ray_here: None, tmp_path: Path) -> None:
    settings = {"algorithm.population_size": "6", "algorithm.tournament_size": "3", "hurdles.children_per_hurdle": "5"}
    record = search_without_tune(
        tmp_path, REFERENCE, 32, algorithm="regularized_evolution", hurdles="pdh", settings=settings
    )
    rungs = [len(json.loads(trial.rungs or "[]")) for trial in record]
    assert {1, 2, 3} <= set(rungs), "the search has trials of every length"
    assert any(trial.status == "failed" for trial in record)

    searcher = AutoglyphSearcher(SPACE, EVOLUTION, objectives=DOMAIN.objectives, seed=3)
    hurdles = ProgressiveDynamicHurdles(RUNGS, 5)
    (tmp_path / "stop").write_text("20")
    with pytest.raises(KeyError, match="crash"):
        make_tuner(tmp_path, Child, 32, searcher, hurdles).fit()
    results = tune.Tuner.restore(str(tmp_path / "run"), trainable=Child).fit()
    assert_same_search(results, record)
    gates = [json.loads(trial.gate or "[]") for trial in record]
    assert [result.config["frozen_hurdles"] for result in in_order(results)] == gates


@pytest.mark.ray
@pytest.mark.slow
def test_several_objectives(ray_here: None, tmp_path: Path) -> None:
    settings = {"algorithm.population_size": "6"}
    record = search_without_tune(tmp_path, f"{REFERENCE}:TWO", 16, algorithm="nsga2", settings=settings)
    objectives = [maximize("accuracy"), minimize("cost")]
    searcher = AutoglyphSearcher(SPACE, NSGA2(population_size=6), objectives=objectives, seed=3)
    assert_same_search(make_tuner(tmp_path, Child, 16, searcher).fit(), record)


RATES = np.random.default_rng(0).permutation(np.linspace(0.05, 0.9, 30)).tolist()


@pytest.mark.ray
@pytest.mark.slow
def test_hurdles_with_a_searcher_of_tune(ray_here: None, tmp_path: Path) -> None:
    rule = rules.ProgressiveDynamicHurdles(children_per_hurdle=6)
    rule.setup(len(RUNGS), 4)
    expected = []
    for number, rate in enumerate(RATES):
        gate = rule.gate()
        steps = next(s for i, s in enumerate(RUNGS) if not passes_gate(gate, i, -loss(rate, s)))
        rule.tell(Finished(number, -loss(rate, steps), RUNGS.index(steps) + 1), None)
        expected.append((rate, steps, list(gate)))
    assert {steps for _, steps, _ in expected} == set(RUNGS)

    (tmp_path / "stop").write_text("17")
    hurdles = ProgressiveDynamicHurdles(RUNGS, 6, initial=4)
    rates = {"rate": tune.grid_search(RATES)}
    tuner = make_tuner(tmp_path, Curve, 1, None, hurdles, rates, metric="loss", mode="min")
    with pytest.raises(KeyError, match="crash"):
        tuner.fit()
    results = tune.Tuner.restore(str(tmp_path / "run"), trainable=Curve, param_space=rates).fit()
    found = {r.config["rate"]: (r.metrics["training_iteration"], r.config["frozen_hurdles"]) for r in results}
    assert [(rate, *found[rate]) for rate in RATES] == expected


@pytest.mark.ray
@pytest.mark.slow
def test_the_page_runs(ray_here: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "page.py").write_text(program)
    page = runpy.run_path(str(tmp_path / "page.py"))
    page["main"](str(tmp_path))
    assert float(capsys.readouterr().out.splitlines()[-1].split()[0]) > 80
    assert len(page["go_on"](str(tmp_path))) == 24


@pytest.mark.ray
@pytest.mark.slow
def test_bench_executor(run_cli: Callable[..., Any]) -> None:
    result = run_cli("bench", "executor", "--quick", "--json").json
    figures, ratios = result["figures"], result["ratios"]
    assert figures["ray_children_per_s"] > 0
    assert ratios["two_workers_against_one_on_sleep"] > 1
    assert ratios["tune_starting_actors"] > ratios["tune_reusing_actors"] > 1
    assert ratios["bare_actor_calls"] == figures["ray_children_per_s"] / figures["bare_actor_calls_per_s"]


def searcher(algorithm: Algorithm = EVOLUTION, seed: int = 0, space: SearchSpace = SPACE) -> AutoglyphSearcher:
    return AutoglyphSearcher(space, algorithm, objectives=[maximize("accuracy")], seed=seed)


def complete(of: AutoglyphSearcher, name: str, config: Any) -> None:
    of.on_trial_complete(name, tune_children.measure(individual(config, SPACE), 1))


@pytest.mark.parametrize("copied", [lambda s: cloudpickle.loads(cloudpickle.dumps(s)), copy.deepcopy])
def test_a_searcher_travels_and_is_saved_with_its_past(tmp_path: Path, copied: Callable[[Any], Any]) -> None:
    first = searcher()
    configs = {f"t{i}": first.suggest(f"t{i}") for i in range(3)}
    for number in range(3, 25):
        name, config = configs.popitem() if number % 2 else next(iter(configs.items()))
        configs.pop(name, None)
        if number % 7:
            complete(first, name, config)
        else:
            first.on_trial_complete(name, error=True)
        configs[f"t{number}"] = first.suggest(f"t{number}")
    first.save(str(tmp_path / "state.json"))
    json.loads((tmp_path / "state.json").read_text())
    second = searcher()
    second.restore(str(tmp_path / "state.json"))
    third = copied(first)
    for each in (first, second, third):
        for name, config in configs.items():
            complete(each, name, config)
    proposed = [[each.suggest(f"later{i}") for i in range(5)] for each in (first, second, third)]
    assert proposed[0] == proposed[1] == proposed[2]


@pytest.mark.parametrize(
    "other", [searcher(seed=1), searcher(Random()), searcher(space=SearchSpace("other", SPACE.value))]
)
def test_the_state_of_another_search_is_refused(tmp_path: Path, other: AutoglyphSearcher) -> None:
    searcher().save(str(tmp_path / "state.json"))
    with pytest.raises(ValueError, match="belongs to a search with another (seed|algorithm|space)"):
        other.restore(str(tmp_path / "state.json"))


def test_a_state_that_does_not_follow_is_refused() -> None:
    search = DrivenSearch(SPACE, EVOLUTION, [maximize("accuracy")], 0)
    search.propose("a")
    state = json.loads(json.dumps(search.state()))
    state["log"][0][2][0] = (state["log"][0][2][0] + 1) % 5
    with pytest.raises(ValueError, match="made by another version"):
        search.load(state)


def test_a_space_is_exhausted_without_doubles() -> None:
    space = SearchSpace("small", pg.Dict(x=pg.oneof([1, 2, 3]), y=pg.oneof(["a", "b"])))
    for algorithm in (Exhaustive(), Random()):
        of = searcher(algorithm, space=space)
        found = []
        while (config := of.suggest(str(len(found)))) != of.FINISHED:
            assert isinstance(config, dict)
            found.append(config["individual"]["values"])
            assert individual(config, space) == pg.Dict(found[-1])
        assert sorted(map(json.dumps, found)) == sorted(
            json.dumps({"x": x, "y": y}) for x in (1, 2, 3) for y in ("a", "b")
        )


def test_a_failed_trial_that_is_started_again_is_told_again() -> None:
    of = searcher()
    told: list[Any] = []
    of.follow(told.append)
    config = of.suggest("a")
    of.on_trial_complete("a", error=True)
    of.on_trial_complete("b", {"accuracy": 0.5, "config/individual/trial": 0})
    of.on_trial_complete("c", {"accuracy": 0.7, "config/individual/trial": 0})
    of.on_trial_complete("a", {"accuracy": 0.7})
    of.on_trial_complete("nobody", {"accuracy": 0.7})
    assert isinstance(config, dict)
    assert [(each.number, each.fitness) for each in told] == [(0, -math.inf), (0, 0.5)]


def test_bad_settings_are_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="at least one objective"):
        AutoglyphSearcher(SPACE, EVOLUTION, objectives=[])
    with pytest.raises(ValueError, match="choose nsga2"):
        AutoglyphSearcher(SPACE, EVOLUTION, objectives=[maximize("accuracy"), minimize("cost")])
    with pytest.raises(ValueError, match="Expected a seed of 0 or more"):
        searcher(seed=-1)
    with pytest.raises(ValueError, match="does not come from an AutoglyphSearcher"):
        individual({"rate": 1.0}, SPACE)
    with pytest.raises(ValueError, match="Expected rising rungs above 0"):
        ProgressiveDynamicHurdles([3, 1], 5)
    with pytest.raises(ValueError, match="children_per_hurdle of at least 1"):
        ProgressiveDynamicHurdles([1, 3], 0)
    with pytest.raises(ValueError, match="give both"):
        ProgressiveDynamicHurdles([1, 3], 5, metric="loss")
    assert not ProgressiveDynamicHurdles([1], 5, metric="loss", mode="min").set_search_properties("loss", "min")


class Added:
    """As much of a trial of Tune as a scheduler sees."""

    def __init__(self, name: str) -> None:
        self.trial_id, self.status, self.config, self.last_result = name, "PENDING", dict[str, Any](), dict[str, Any]()

    def set_config(self, config: dict[str, Any]) -> None:
        self.config = config

    def report(self, scheduler: ProgressiveDynamicHurdles, step: int, value: float) -> str:
        result = {"epoch": step, "accuracy": value}
        decision = scheduler.on_trial_result(SEARCH_OF_TUNE, self, result)
        self.last_result = result
        if decision == "STOP":
            scheduler.on_trial_complete(SEARCH_OF_TUNE, self, result)
        return decision


SEARCH_OF_TUNE = SimpleNamespace(search_alg=object())


def add(scheduler: ProgressiveDynamicHurdles, name: str) -> Added:
    trial = Added(name)
    scheduler.on_trial_add(SEARCH_OF_TUNE, trial)
    return trial


def test_hurdles_are_frozen_and_apply_again_only_to_a_trial_that_begins_again() -> None:
    scheduler = ProgressiveDynamicHurdles([2, 4, 8], 2, metric="accuracy", mode="max", time_attr="epoch")
    early, failing = add(scheduler, "early"), add(scheduler, "failing")
    assert [add(scheduler, f"first{i}").report(scheduler, 2, value) for i, value in enumerate((1.0, 3.0))] == [
        "STOP"
    ] * 2
    assert [hurdle.value for hurdle in scheduler.hurdles] == [2.0]
    later, skipping, bad = (add(scheduler, name) for name in ("later", "skipping", "bad"))
    assert early.report(scheduler, 2, 99.0) == "STOP", "it was added before there was a hurdle"
    assert later.report(scheduler, 1, 0.0) == "CONTINUE", "no rung"
    assert later.report(scheduler, 2, 2.5) == "CONTINUE"
    assert later.report(scheduler, 3, 0.0) == "CONTINUE", "a hurdle applies once"
    assert later.report(scheduler, 1, 0.0) == "CONTINUE", "it begins again"
    assert later.report(scheduler, 2, 2.0) == "STOP", "a hurdle has to be exceeded"
    assert bad.report(scheduler, 2, math.nan) == "STOP"
    assert skipping.report(scheduler, 5, 9.0) == "STOP", "rungs in between are judged too, and the second has no hurdle"
    scheduler.on_trial_error(SEARCH_OF_TUNE, failing)
    scheduler.on_trial_add(SEARCH_OF_TUNE, failing)
    assert failing.config == early.config == {"frozen_hurdles": []}, "started again, with its own hurdles"
    assert failing.report(scheduler, 2, 4.0) == "STOP"
    with pytest.raises(ValueError, match="report no 'epoch'"):
        scheduler.on_trial_result(SEARCH_OF_TUNE, failing, {"accuracy": 1.0})
    assert "2, 9" in scheduler.debug_string()
