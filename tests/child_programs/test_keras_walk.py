"""Walks over Keras models: counts, refusals by name, several inputs and outputs."""

from __future__ import annotations

import pytest

from autoglyph.child_programs import count_madds
from autoglyph.child_programs.keras_walk import record_model

MODELS = {"ResNet50": 3_857_973_248, "MobileNetV2": 300_774_272, "DenseNet121": 2_834_161_664}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_applications_have_the_counts_of_keras(name: str) -> None:
    import keras

    model = getattr(keras.applications, name)(weights=None)
    found = record_model(model)
    assert found.parameters == model.count_params()
    assert found.trainable_parameters == found.workload.parameters
    assert found.workload.madds == count_madds(model) == MODELS[name]


def test_two_inputs_two_outputs_and_a_nested_model() -> None:
    import keras

    a, b = keras.Input((9, 7, 3)), keras.Input((9, 7, 3))
    nested = keras.Sequential([keras.Input((9, 7, 3)), keras.layers.SeparableConv2D(4, 3, strides=2, padding="valid")])
    x = nested(keras.layers.Add()([a, b]))
    model = keras.Model([a, b], [x, keras.layers.Dense(5, activation="relu")(keras.layers.Flatten()(x))])
    found = record_model(model)
    assert found.parameters == model.count_params()
    assert found.workload.madds == 4 * 3 * (27 + 3 * 4) + 48 * 5


def test_unknown_layers_are_refused_by_name() -> None:
    import keras

    x = keras.Input((4, 3))
    model = keras.Model(x, keras.layers.LSTM(2, name="memory")(x))
    with pytest.raises(ValueError, match=r"'memory' is of class LSTM.*register"):
        record_model(model)
    model = keras.Model(x, keras.ops.cumsum(x))
    with pytest.raises(ValueError, match="Cumsum"):
        record_model(model)
