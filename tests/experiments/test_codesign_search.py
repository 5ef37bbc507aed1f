"""Searches for accelerators, alone and together with networks, by command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from autoglyph.experiments.benchmarks import pairs
from autoglyph.experiments.replaying import replayed
from autoglyph.experiments.run import Run
from autoglyph.hardware_models import estimate, record
from autoglyph.hardware_models.accelerator import device_of
from autoglyph.search_spaces.accelerator import violations
from autoglyph.search_spaces.architectures.efficientnet import EfficientNet
from autoglyph.search_spaces.space import load_space


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("domain", ["nahas", "accelerator"])
def test_infeasible_accelerators_are_never_tried(run_cli: Callable, domain: str) -> None:
    found = run_cli("search", domain, "--trials", "300", "--seed", "1", "--run", "r", "--json")
    assert found.code == 0, found.err
    assert found.json["refused"] > 0
    space, trials = load_space(domain), Run.open("r", "autoglyph.db").trials
    rows = np.stack([space.genome.from_json(json.loads(trial.genes)) for trial in trials])
    assert len(rows) == 300 and space.feasible(rows).all()


def test_a_result_is_replayed_with_its_recorded_cost(run_cli: Callable) -> None:
    assert run_cli("search", "nahas", "--trials", "100", "--run", "r", "--json").code == 0
    found = replayed.replay("r:best", "autoglyph.db")
    assert violations(found.individual.accelerator) == []
    network = replayed.architecture_of(found)
    assert isinstance(network, EfficientNet)
    cost = estimate(record(network), device_of(found.individual.accelerator))
    assert found.recorded["latency_ms"] == pytest.approx(cost.latency_s * 1e3, rel=1e-9)
    assert found.recorded["energy_mj"] == pytest.approx(cost.energy_j * 1e3, rel=1e-9)
    assert found.recorded["parameters"] == cost.parameters
    shown = run_cli("cost", "r:best", "--device", "accelerator:pixel", "--json")
    assert shown.code == 0 and shown.json["device"] == "accelerator:pixel"
    assert run_cli("cost", "nahas:b0", "--device", "accelerator:coral", "--json").json["parameters"] == 5_288_548


def test_an_accelerator_alone_is_no_network(run_cli: Callable) -> None:
    shown = run_cli("cost", "accelerator:pixel", "--device", "accelerator:pixel")
    assert shown.code == 2 and "no networks" in shown.err


@pytest.mark.parametrize("objective", ["soft", "hard"])
def test_a_stopped_search_for_the_reward_goes_on(run_cli: Callable, objective: str) -> None:
    reward = f"nahas(top1, energy_mj, target=0.3, area=area_mm2, area_target=40, form={objective})"
    arguments = ("search", "nahas", "--objective", reward, "--seed", "5", "--json")
    assert run_cli(*arguments, "--trials", "200", "--run", "whole").code == 0
    assert run_cli(*arguments, "--trials", "80", "--run", "part").code == 0
    resumed = run_cli("resume", "part", "--trials", "200", "--json")
    assert resumed.code == 0, resumed.err
    whole, part = (Run.open(name, "autoglyph.db") for name in ("whole", "part"))
    assert [t.genes for t in part.trials] == [t.genes for t in whole.trials]


@pytest.mark.parametrize("domain", ["nahas", "accelerator"])
def test_a_device_beside_the_accelerator_is_refused(run_cli: Callable, domain: str) -> None:
    result = run_cli("search", domain, "--device", "tpu_v3")
    assert result.code == 2 and "bring their own accelerator: leave out the device 'tpu_v3'" in result.err


def test_the_benchmark_of_pairs() -> None:
    result = pairs.run(quick=True)
    assert json.loads(json.dumps(result)) == result
    figures = result["figures"]
    assert figures["pairs_per_s"] > figures["pairs_per_s_one_by_one"] > 0
    assert result["ratios"]["pairs_vs_one_by_one"] == pytest.approx(
        figures["pairs_per_s"] / figures["pairs_per_s_one_by_one"]
    )
