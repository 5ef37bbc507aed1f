"""ResNets as Keras models: counted as their workloads are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autoglyph.child_programs import build_model, build_shapes, count_madds, count_parameters
from autoglyph.hardware_models import record
from autoglyph.search_spaces import load_space


def assert_counts_are_equal(architecture: Any) -> None:
    model, workload = build_shapes(architecture), record(architecture)
    assert (count_parameters(model), count_madds(model)) == (workload.parameters, workload.madds)


@pytest.mark.parametrize("name", ["resnet-50", "rs-50"])
def test_members_are_counted_alike(name: str) -> None:
    assert_counts_are_equal(load_space("resnet_rs").individual(name))


@pytest.mark.slow
def test_random_individuals_and_proxies_are_counted_alike() -> None:
    genome = load_space("resnet_rs").genome
    rng = np.random.default_rng(1)
    for row in genome.random(4, rng):
        individual = genome.decode(row)
        assert_counts_are_equal(individual)
        size, width = int(rng.integers(8, 65)), float(rng.uniform(0.2, 1.3))
        assert_counts_are_equal(individual.proxy(resolution=size, channels=1, classes=7, width=width))


def test_a_small_resnet_computes() -> None:
    model = build_model(
        load_space("resnet_rs").individual("rs-50").proxy(resolution=32, channels=3, classes=5, width=0.125), seed=0
    )
    outputs = np.asarray(model(np.random.default_rng(0).random((2, 32, 32, 3), np.float32)))
    assert outputs.shape == (2, 5)
    assert np.isfinite(outputs).all()
