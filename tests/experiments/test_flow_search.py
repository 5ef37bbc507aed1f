"""Flows by command line: recorded, resumed and described like any search."""

from collections.abc import Callable
from pathlib import Path

import pytest

from autoglyph.experiments.experiment import define, describe, from_description
from autoglyph.experiments.run import Run
from autoglyph.experiments.symbolic_settings import algorithm_from, settings_of


@pytest.mark.parametrize("flow", ["phased:width,head", "phased:head", "nested:width", "nested:head", "phased"])
def test_a_flow_is_described_and_made_again(toy: Path, flow: str) -> None:
    for algorithm in (None, "nsga2"):
        experiment, domain = define(str(toy), flow=flow, algorithm=algorithm, trials=60)
        again, _ = from_description(describe(experiment, domain))
        assert settings_of(again.algorithm) == settings_of(experiment.algorithm)
        assert type(again.algorithm) is type(experiment.algorithm)


def test_settings_inside_a_flow_are_kept(toy: Path) -> None:
    settings = {"algorithm.inner.population_size": "7", "algorithm.inner_trials": "9"}
    experiment, _ = define(str(toy), flow="nested:head", algorithm="nsga2", settings=settings)
    again = algorithm_from("nested", settings_of(experiment.algorithm))
    assert again.inner.population_size == 7 and again.inner_trials == 9


def test_a_phased_search_varies_one_part_at_a_time_and_resumes(run_cli: Callable, toy: Path) -> None:
    arguments = ("search", toy, "--flow", "phased:width,rate", "--trials", "24", "--seed", "2", "--json")
    whole = run_cli(*arguments, "--run", "whole")
    assert whole.code == 0, whole.err
    assert run_cli(*arguments, "--run", "part", "--set", "algorithm.trials=12").code == 0
    trials = Run.open("whole", "autoglyph.db").trials
    assert len(trials) == 24
    assert len({t.genes.split(",")[1] for t in trials[:4]}) == 1  # the rate is held while the width varies


@pytest.mark.parametrize(
    ("flow", "message"),
    [
        ("phase", "did you mean 'phased'"),
        ("phased:widht", "did you mean 'width'"),
        ("nested:width,rate", "one outer part"),
        ("joint:width", "takes no parts"),
    ],
)
def test_unknown_flows_and_parts_are_one_sentence(run_cli: Callable, toy: Path, flow: str, message: str) -> None:
    result = run_cli("search", toy, "--flow", flow)
    assert result.code == 2 and message in result.err and "Traceback" not in result.err
