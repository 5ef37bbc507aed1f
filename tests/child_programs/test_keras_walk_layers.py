"""Handlers of the walk one by one: weights and shapes as Keras has them, multiply-adds as the profiler does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from graph_products import graph_madds

from autoglyph.child_programs.keras_walk import record_model, walk_model
from autoglyph.hardware_models.recorder import Recorder

Make = Callable[..., Any]


def layer(name: str, *arguments: Any, **settings: Any) -> Make:
    def make(*inputs: Any) -> Any:
        import keras

        made = getattr(keras.layers, name)(*arguments, **settings)
        return made(inputs[0] if len(inputs) == 1 else list(inputs))

    make.__name__ = f"{name}-{'-'.join(f'{k}_{v}' for k, v in settings.items())}"
    return make


def operation(name: str, **settings: Any) -> Make:
    def make(*inputs: Any) -> Any:
        import keras

        return getattr(keras.ops, name)(*inputs, **settings)

    make.__name__ = f"ops.{name}"
    return make


def constant_sums(x: Any) -> Any:
    return 2.0 * x + 1.0


IMAGE, LINE, VOLUME = (9, 7, 4), (9, 4), (5, 6, 7, 4)

COUNTED: list[tuple[Make, list[tuple[int, ...]]]] = [
    (layer("Conv1D", 6, 3, strides=2, padding="causal"), [LINE]),
    (layer("Conv1D", 6, 3, dilation_rate=2, padding="valid"), [(10, 4)]),  # TensorFlow pads odd outputs to even
    (layer("Conv2D", 6, (3, 5), strides=(1, 2), padding="same", activation="gelu"), [IMAGE]),
    (layer("Conv2D", 6, 3, groups=2, use_bias=False), [IMAGE]),
    (layer("Conv3D", 6, (1, 2, 3), padding="same", strides=2), [VOLUME]),
    (layer("DepthwiseConv1D", 3, depth_multiplier=2), [LINE]),
    (layer("DepthwiseConv2D", 5, strides=2, padding="same", use_bias=False), [IMAGE]),
    (layer("SeparableConv1D", 6, 3, strides=2), [LINE]),
    (layer("SeparableConv2D", 6, 3, depth_multiplier=2, padding="same"), [IMAGE]),
    (layer("Dense", 5, activation="silu"), [(4,)]),
    (layer("Dense", 5, use_bias=False), [IMAGE]),
    (operation("matmul"), [(3, 5, 4), (3, 4, 2)]),
]
FREE: list[tuple[Make, list[tuple[int, ...]]]] = [
    (layer("Embedding", 50, 8), [(9,)]),
    (layer("BatchNormalization", scale=False), [IMAGE]),
    (layer("LayerNormalization", center=False), [LINE]),
    (layer("RMSNormalization"), [LINE]),
    (layer("GroupNormalization", groups=2), [IMAGE]),
    (layer("Rescaling", scale=0.5, offset=1), [IMAGE]),
    (layer("Normalization"), [IMAGE]),
    (layer("Activation", "mish"), [LINE]),
    (layer("ReLU", max_value=6), [LINE]),
    (layer("LeakyReLU"), [LINE]),
    (layer("Softmax"), [LINE]),
    (layer("Dropout", 0.5), [LINE]),
    (layer("Add"), [LINE, LINE, LINE]),
    (layer("Subtract"), [LINE, LINE]),
    (layer("Multiply"), [(1, 1, 4), IMAGE]),
    (layer("Concatenate", axis=1), [LINE, (2, 4)]),
    (layer("MaxPooling1D", 3, strides=2, padding="same"), [LINE]),
    (layer("AveragePooling2D", (3, 2)), [IMAGE]),
    (layer("MaxPooling3D", 2), [VOLUME]),
    (layer("GlobalAveragePooling2D", keepdims=True), [IMAGE]),
    (layer("GlobalMaxPooling1D"), [LINE]),
    (layer("ZeroPadding1D", 2), [LINE]),
    (layer("ZeroPadding2D", ((1, 0), (2, 3))), [IMAGE]),
    (layer("Cropping2D", ((1, 0), (2, 3))), [IMAGE]),
    (layer("Cropping3D", 1), [VOLUME]),
    (layer("UpSampling1D", 3), [LINE]),
    (layer("UpSampling2D", (2, 3)), [IMAGE]),
    (layer("Flatten"), [IMAGE]),
    (layer("Reshape", (-1, 2)), [IMAGE]),
    (layer("Permute", (3, 1, 2)), [IMAGE]),
    (operation("reshape", newshape=(-1, 36)), [LINE]),
    (operation("transpose", axes=(0, 2, 1)), [LINE]),
    (operation("expand_dims", axis=1), [LINE]),
    (operation("mean", axis=(1, 2)), [IMAGE]),
    (operation("max", axis=1, keepdims=True), [LINE]),
    (operation("maximum"), [LINE, LINE]),
    (operation("square"), [LINE]),
    (operation("sigmoid"), [LINE]),
    (constant_sums, [LINE]),
]


def model_of(make: Make, shapes: list[tuple[int, ...]]) -> Any:
    import keras

    inputs = [keras.Input(shape) for shape in shapes]
    return keras.Model(inputs, make(*inputs))


def assert_weights_and_shape(model: Any) -> Any:
    found = record_model(model)
    trainable = sum(weight.numpy().size for weight in model.trainable_weights)
    assert (found.parameters, found.trainable_parameters) == (model.count_params(), trainable)
    assert found.workload.parameters == trainable
    assert [x.shape for x in walk_model(model, Recorder("full", {}))] == [tuple(x.shape[1:]) for x in model.outputs]
    return found.workload


@pytest.mark.parametrize(("make", "shapes"), COUNTED, ids=[make.__name__ for make, _ in COUNTED])
def test_products_have_the_multiply_adds_of_the_profiler(make: Make, shapes: list[tuple[int, ...]]) -> None:
    model = model_of(make, shapes)
    assert assert_weights_and_shape(model).madds == graph_madds(model) > 0


@pytest.mark.parametrize(("make", "shapes"), FREE, ids=[make.__name__ for make, _ in FREE])
def test_other_layers_have_no_multiply_adds(make: Make, shapes: list[tuple[int, ...]]) -> None:
    import keras

    inputs = [keras.Input(shape) for shape in shapes]
    output = make(*inputs)
    both = keras.Model(inputs, [output, keras.layers.Add()([inputs[0], inputs[0]])])  # some do nothing at all
    assert assert_weights_and_shape(both).madds == 0


TRANSPOSED = [
    (layer("Conv1DTranspose", 6, 3, strides=2), [LINE], 9 * 3 * 4 * 6),
    (layer("Conv2DTranspose", 6, (3, 5), strides=2, padding="same"), [IMAGE], 9 * 7 * 15 * 4 * 6),
    (layer("Conv3DTranspose", 6, 2, strides=3), [VOLUME], 210 * 8 * 4 * 6),
]


@pytest.mark.parametrize(("make", "shapes", "madds"), TRANSPOSED, ids=["1D", "2D", "3D"])
def test_transposed_convolutions_count_a_window_an_input_position(
    make: Make, shapes: list[tuple[int, ...]], madds: int
) -> None:
    assert assert_weights_and_shape(model_of(make, shapes)).madds == madds


def attend(how: str) -> Make:
    def make(query: Any, key: Any, value: Any) -> Any:
        import keras

        attention = keras.layers.MultiHeadAttention(2, 3, value_dim=5, output_shape=7)
        if how == "positions":
            return attention(query, value, key)
        return attention(query, value=value, key=key, use_causal_mask=True)

    return make


@pytest.mark.parametrize("how", ["positions", "names"])
def test_attention_tells_keys_from_values(how: str) -> None:
    workload = assert_weights_and_shape(model_of(attend(how), [(4, 6), (9, 5), (9, 8)]))
    projections = 4 * 6 * 2 * 3 + 9 * 5 * 2 * 3 + 9 * 8 * 2 * 5 + 4 * 2 * 5 * 7
    assert workload.madds == projections + 4 * 9 * 2 * (3 + 5)


def test_attention_without_projections() -> None:
    model = model_of(operation("dot_product_attention", is_causal=True), [(4, 2, 3), (9, 2, 3), (9, 2, 3)])
    assert assert_weights_and_shape(model).madds == 4 * 9 * 2 * (3 + 3)
