"""Walks over whole Keras models: nesting, several inputs and outputs, round trips, and refusals by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graph_products import graph_madds

from autoglyph.child_programs import build_model, build_shapes, export_model
from autoglyph.child_programs.keras_file import load_keras
from autoglyph.child_programs.keras_walk import LayerCall, record_model, register_layer
from autoglyph.hardware_models import estimate, load_device, record
from autoglyph.hardware_models.fusion import Fusion
from autoglyph.search_spaces import load_space, ops
from autoglyph.search_spaces.net import Tensor

KERAS_SAVES = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


def test_two_inputs_two_outputs_and_a_nested_model() -> None:
    import keras

    a, b = keras.Input((9, 7, 3)), keras.Input((9, 7, 3))
    nested = keras.Sequential([keras.Input((9, 7, 3)), keras.layers.SeparableConv2D(4, 3, strides=2, padding="valid")])
    x = nested(keras.layers.Add()([a, b]))
    model = keras.Model([a, b], [x, keras.layers.Dense(5, activation="relu")(keras.layers.Flatten()(x))])
    found = record_model(model)
    assert found.parameters == model.count_params()
    assert found.workload.madds == graph_madds(model) == 4 * 3 * (27 + 3 * 4) + 48 * 5
    assert [str(name).startswith(nested.name) for name in found.workload.kernels["name"]] == [False, True, True, False]


def test_frozen_weights_are_told_apart() -> None:
    import keras

    x = keras.Input((8,))
    model = keras.Model(x, keras.layers.Dense(2)(keras.layers.Dense(3, trainable=False)(x)))
    found = record_model(model)
    assert (found.parameters, found.trainable_parameters) == (27 + 8, 8)


@KERAS_SAVES
@pytest.mark.parametrize(("space", "name"), [("efficientnet", "b0"), ("efficientnet_x", "x-b0")])
@pytest.mark.slow
def test_an_exported_individual_costs_what_it_costs_itself(space: str, name: str, tmp_path: Path) -> None:
    individual = load_space(space).individual(name).proxy(resolution=64, channels=3, classes=10, width=1.0)
    back = load_keras(export_model(build_model(individual, seed=0), tmp_path / "network.keras"))
    for device in map(load_device, ("v100", "tpu_v3:chip")):
        own, walked = record(individual, fusion=device.fusion), record_model(back, fusion=device.fusion).workload
        assert (walked.parameters, walked.madds) == (own.parameters, own.madds)
        costs = [estimate(workload, device, 8) for workload in (own, walked)]
        assert costs[1].latency_s == pytest.approx(costs[0].latency_s, rel=1e-9)
        assert costs[1].energy_j == pytest.approx(costs[0].energy_j, rel=1e-9)


SPARED: list[tuple[Fusion, set[str]]] = [
    ("eager", set()),
    ("chain", {"head_norm"}),
    ("full", {"head_norm", "stage2_reduction_pool", "stage3_reduction_pool"}),
]


def test_a_walk_also_fuses_across_the_borders_of_segments() -> None:
    individual = load_space("nasbench201").individual("resnet")
    model = build_shapes(individual)
    for fusion, spared in SPARED:
        own, walked = record(individual, fusion=fusion), record_model(model, fusion=fusion).workload
        for field in ("madds", "parameters", "weight_elements", "vector_ops", "input_vector_ops"):
            assert walked.kernels[field].sum() == own.kernels[field].sum()
        assert {*own.kernels["name"]} - {*walked.kernels["name"]} == spared
        assert len(own) - len(walked) == len(spared)
        times = [estimate(workload, load_device("tpu_v3:chip"), 8).latency_s for workload in (own, walked)]
        assert (times[0] > times[1]) if spared else (times[0] == pytest.approx(times[1], rel=1e-9))


def recurrent(x: Any) -> Any:
    import keras

    return keras.layers.LSTM(2, name="memory")(x)


def written_by_hand(x: Any) -> Any:
    import keras

    return keras.layers.Lambda(lambda y: y * 2, name="trick")(x)


def sums_of_all_before(x: Any) -> Any:
    import keras

    return keras.ops.cumsum(x, axis=1)


def twice(x: Any) -> Any:
    import keras

    dense = keras.layers.Dense(3, name="shared")
    return dense(dense(x))


def masked_attention(x: Any) -> Any:
    import keras

    mask = keras.layers.Dense(4, name="mask")(x)
    return keras.layers.MultiHeadAttention(1, 2, name="attend")(x, x, attention_mask=mask)


def attention_and_scores(x: Any) -> Any:
    import keras

    return keras.layers.MultiHeadAttention(1, 2, name="attend")(x, x, return_attention_scores=True)


def masked_norm(x: Any) -> Any:
    import keras

    return keras.layers.BatchNormalization(name="norm")(x, mask=keras.layers.Flatten()(x))


def other_activation(x: Any) -> Any:
    import keras

    return keras.layers.Dense(3, activation="log_softmax", name="odd")(x)


def other_axis(x: Any) -> Any:
    import keras

    return keras.layers.LayerNormalization(axis=1, name="across")(x)


REFUSED = [
    (recurrent, "'memory' is of class LSTM.*register_layer"),
    (written_by_hand, "'trick' is of class Lambda"),
    (sums_of_all_before, "Cumsum"),
    (twice, "'shared'.*more than once"),
    (masked_attention, "'attend'.*attention_mask"),
    (attention_and_scores, "'attend'.*2 outputs"),
    (masked_norm, "'norm'.*2 inputs"),
    (other_activation, "'odd'.*log_softmax"),
    (other_axis, "'across'.*axis"),
]


@pytest.mark.parametrize(("make", "sentence"), REFUSED, ids=[make.__name__ for make, _ in REFUSED])
def test_what_is_not_known_is_refused_by_name(make: Callable[[Any], Any], sentence: str) -> None:
    import keras

    x = keras.Input((4, 3))
    with pytest.raises(ValueError, match=sentence):
        record_model(keras.Model(x, make(x)))


def test_models_that_cannot_be_read_are_refused() -> None:
    import keras

    class Own(keras.Model):
        def call(self, x: Any) -> Any:
            return x * 2

    x = keras.Input((4, 3))
    for model in (Own(), Own(x, keras.layers.Dense(2)(x)), keras.Sequential()):
        with pytest.raises(ValueError, match="no functional model"):
            record_model(model)
    x = keras.Input((None, 3))
    with pytest.raises(ValueError, match="fixed input size"):
        record_model(keras.Model(x, keras.layers.Conv1D(2, 3)(x)))
    x = keras.Input((4, 3))
    with pytest.raises(ValueError, match="computes nothing"):
        record_model(keras.Model(x, keras.layers.Dropout(0.5)(x)))


def test_a_layer_of_ones_own_is_known_once_registered() -> None:
    import keras

    class Gate(keras.layers.Layer):
        def build(self, shape: Any) -> None:
            self.gamma = self.add_weight(shape=shape[-1:])

        def call(self, x: Any) -> Any:
            return x * self.gamma

    class Conv2D(keras.layers.Conv2D):
        """Has the name of a layer of Keras and may be anything."""

    x = keras.Input((4, 4, 3))
    model = keras.Model(x, Gate(name="gate")(x))
    with pytest.raises(ValueError, match="'gate' is of class Gate"):
        record_model(model)
    with pytest.raises(ValueError, match="is of class Conv2D"):
        record_model(keras.Model(x, Conv2D(3, 1)(x)))

    @register_layer(Gate)
    def gate(call: LayerCall, x: Tensor) -> Tensor:
        return call.apply(ops.Scale(name=call.layer.name, learned=True), x)

    assert record_model(model).parameters == 3

    @register_layer(Gate)
    def forgetful(call: LayerCall, x: Tensor) -> Tensor:
        return call.apply(ops.Scale(name=call.layer.name), x)

    with pytest.raises(ValueError, match="'gate'.*holds 3 weights, its handler describes 0"):
        record_model(model)


@KERAS_SAVES
def test_files_come_back_with_their_weights(tmp_path: Path) -> None:
    import keras

    x = keras.Input((3,))
    model = keras.Model(x, keras.layers.Dense(2, name="only")(x))
    model.save(tmp_path / "small.keras")
    back = load_keras(tmp_path / "small.keras")
    assert np.array_equal(back.get_layer("only").get_weights()[0], model.get_layer("only").get_weights()[0])
    with pytest.raises(ValueError, match=r"There is no file .*other\.keras"):
        load_keras(tmp_path / "other.keras")
    (tmp_path / "cut.keras").write_bytes((tmp_path / "small.keras").read_bytes()[:200])
    with pytest.raises(ValueError, match=r"Cannot load .*cut\.keras"):
        load_keras(tmp_path / "cut.keras")
