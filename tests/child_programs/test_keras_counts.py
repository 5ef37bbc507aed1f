"""Parameters and multiply-adds of Keras models equal those of the workload, counted independently."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from autoglyph.child_programs import build_model, build_shapes, count_madds, count_parameters
from autoglyph.child_programs.model_counts import madds_by_layer
from autoglyph.hardware_models import record
from autoglyph.search_spaces import load_space
from autoglyph.search_spaces.architecture import Architecture

SPACES = ["efficientnet", "efficientnet_x"]


def individuals(space: str, count: int, seed: int) -> list[Any]:
    genome = load_space(space).genome
    return [genome.decode(row) for row in genome.random(count, np.random.default_rng(seed))]


def assert_counts_are_equal(architecture: Architecture) -> None:
    model, workload = build_shapes(architecture), record(architecture)
    assert (count_parameters(model), count_madds(model)) == (workload.parameters, workload.madds)


def test_efficientnet_b0_has_its_published_parameters() -> None:
    model = build_model(load_space("efficientnet").individual("b0"), seed=0)
    assert sum(np.prod(variable.shape) for variable in model.trainable_variables) == 5_288_548
    assert count_parameters(model) == 5_288_548
    assert count_madds(model) == record(load_space("efficientnet").individual("b0")).madds == 385_814_752
    assert model.output_shape == (None, 1000)


PUBLISHED = [("efficientnet", "b3"), ("efficientnet_x", "x-b0"), ("efficientnet_x", "h-b5")]


@pytest.mark.parametrize(("space", "name"), PUBLISHED)
def test_published_members_are_counted_alike(space: str, name: str) -> None:
    assert_counts_are_equal(load_space(space).individual(name))


@pytest.mark.parametrize("space", SPACES)
def test_random_individuals_and_proxies_are_counted_alike(space: str) -> None:
    rng = np.random.default_rng(1)
    for individual in individuals(space, 8, seed=1):
        assert_counts_are_equal(
            individual.proxy(
                resolution=int(rng.integers(8, 65)),
                channels=int(rng.choice([1, 3])),
                classes=int(rng.integers(2, 20)),
                width=float(rng.uniform(0.2, 1.3)),
            )
        )


@pytest.mark.slow
@pytest.mark.parametrize("space", SPACES)
def test_two_hundred_full_size_individuals_are_counted_alike(space: str, rare_collection: Callable[[], None]) -> None:
    for individual in individuals(space, 200, seed=2):
        assert_counts_are_equal(individual)
        rare_collection()


@pytest.fixture
def rare_collection() -> Iterator[Callable[[], None]]:
    """Collects garbage every twenty calls only: a third of the time of making models goes to collections."""
    calls = itertools.count(1)

    def collect() -> None:
        if next(calls) % 20 == 0:
            gc.collect()

    gc.disable()
    yield collect
    gc.enable()


def test_a_model_of_shapes_counts_as_one_with_values() -> None:
    proxy = individuals("efficientnet_x", 1, seed=3)[0].proxy(resolution=32, channels=3, classes=10, width=0.25)
    model, shapes = build_model(proxy, seed=0), build_shapes(proxy)
    assert [layer.name for layer in model.layers] == [layer.name for layer in shapes.layers]
    assert list(madds_by_layer(model)) == list(madds_by_layer(shapes))
    assert count_parameters(model) == count_parameters(shapes)
    assert model.count_params() > count_parameters(model), "moving averages are not trainable"


def test_a_change_of_one_decision_changes_the_counts() -> None:
    individual = individuals("efficientnet", 1, seed=4)[0]
    before = record(individual)
    stage = individual.stages[2]
    stage.rebind(kernel=8 - stage.kernel)
    model = build_shapes(individual)
    assert count_parameters(model) != before.parameters
    assert count_madds(model) != before.madds


def test_multiply_adds_by_hand() -> None:
    import keras

    inputs = keras.Input((9, 7, 6))
    x = keras.layers.Conv2D(8, 3, strides=2, padding="same", groups=2)(inputs)
    x = keras.layers.DepthwiseConv2D(5, padding="same")(x)
    x = keras.layers.Flatten()(x)
    model = keras.Model(inputs, keras.layers.Dense(4)(x))
    assert [madds for _, madds in madds_by_layer(model)] == [0, 5 * 4 * 9 * 3 * 8, 5 * 4 * 25 * 8, 0, 160 * 4]


def test_layers_of_unknown_cost_are_refused() -> None:
    import keras

    inputs = keras.Input((4, 3))
    model = keras.Model(inputs, keras.layers.LSTM(2)(inputs))
    with pytest.raises(ValueError, match="LSTM"):
        count_madds(model)
    unsized = keras.Input((None, None, 3))
    with pytest.raises(ValueError, match="fixed input size"):
        count_madds(keras.Model(unsized, keras.layers.Conv2D(2, 3)(unsized)))
