"""Models of keras.applications: weights as Keras counts them, multiply-adds as TensorFlow's profiler does."""

from __future__ import annotations

import pytest
from graph_products import graph_madds

from autoglyph.child_programs import count_parameters
from autoglyph.child_programs.keras_file import applications_model
from autoglyph.child_programs.keras_walk import record_model

ODD = (33, 47, 3)  # odd and not square, so that borders differ between sides
SMALLEST = {"InceptionV3": (75, 77, 3), "Xception": (71, 73, 3)}
MODELS = (
    "ResNet50",
    "ResNet50V2",
    "MobileNet",
    "MobileNetV2",
    "MobileNetV3Small",
    "EfficientNetB0",
    "EfficientNetV2B0",
    "DenseNet121",
    "InceptionV3",
    "Xception",
    "NASNetMobile",
    "VGG16",
    "ConvNeXtTiny",
)
PUBLISHED = {"MobileNetV2": (300_774_272, 3_538_984), "MobileNet": (568_740_352, 4_253_864)}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_the_walk_counts_what_keras_and_the_profiler_count(name: str) -> None:
    import keras

    model = getattr(keras.applications, name)(weights=None, input_shape=SMALLEST.get(name, ODD), classes=10)
    found = record_model(model)
    assert found.parameters == model.count_params()
    assert found.trainable_parameters == found.workload.parameters == count_parameters(model)
    assert found.workload.madds == graph_madds(model)


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_at_the_usual_size_they_have_the_published_counts(name: str) -> None:
    found = record_model(applications_model(name))
    assert (found.workload.madds, found.parameters) == PUBLISHED[name]


def test_an_unknown_model_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="ResNet51.*ResNet50"):
        applications_model("ResNet51")
