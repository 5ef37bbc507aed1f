"""What each operation becomes in Keras: shapes, names, seeds, settings, and refusals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from small_networks import tiny_network

from autoglyph.child_programs import KerasNet, build_model, build_shapes, keras_value
from autoglyph.search_spaces import ops
from autoglyph.search_spaces.net import Net, Tensor
from autoglyph.search_spaces.ops import ActivationKind, PoolKind

ACTIVATIONS: list[ActivationKind] = ["relu", "swish", "sigmoid", "gelu", "tanh", "hard_swish", "softmax"]


def every_operation(net: Net) -> Tensor:
    image = net.input((13, 10, 6))
    a = net.conv(image, 8, 3, stride=2, groups=2, use_bias=True, name="a")
    b = net.depthwise_conv(image, 5, stride=2, name="b")
    x = net.concat(net.norm(a, name="an"), b, name="ab")
    for kind in ACTIVATIONS:
        x = net.activation(x, kind, name=kind)
    kinds: list[PoolKind] = ["max", "average"]
    for kind in kinds:
        x = net.pool(x, kind, 3, stride=1 if kind == "max" else 2, name=f"{kind}_pool")
    for kind in kinds:
        x = net.multiply(x, net.global_pool(x, kind, keep_dimensions=True, name=f"{kind}_gate"), name=f"{kind}_gated")
    x = net.dropout(x, 0.5, name="drop")
    x = net.add(x, net.dropout(x, 0.5, per_example=True, name="drop_path"), name="sum")
    x = net.add(x, name="alone")
    return net.dense(net.global_pool(x, name="pooled"), 3, use_bias=False)


def test_every_operation_is_built_with_the_stated_shape_and_weights() -> None:
    import keras

    net = KerasNet(seed=1)
    output = every_operation(net)
    model = keras.Model(net.inputs[0], output.value)
    assert output.shape == model.output_shape[1:] == (3,)
    values = model(np.random.default_rng(0).random((2, 13, 10, 6), np.float32))
    assert values.shape == (2, 3) and np.isfinite(np.asarray(values)).all()
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)
    known = {layer.name: layer for layer in model.layers}
    assert known["a"].kernel.shape == (3, 3, 3, 8) and known["a"].use_bias
    assert not known["dense"].use_bias
    assert known["drop_path"].noise_shape == (None, 1, 1, 1)


def test_activations_compute_what_their_names_say() -> None:
    from math import erf

    x = np.linspace(-4, 4, 9, dtype=np.float32)
    sigmoid = 1 / (1 + np.exp(-x))
    expected = {
        "relu": np.maximum(x, 0),
        "swish": x * sigmoid,
        "sigmoid": sigmoid,
        "gelu": x * np.array([0.5 * (1 + erf(v / 2**0.5)) for v in x]),
        "tanh": np.tanh(x),
        "hard_swish": x * np.clip(x + 3, 0, 6) / 6,
        "softmax": np.exp(x) / np.exp(x).sum(),
    }
    assert set(expected) == set(ACTIVATIONS)
    for kind in ACTIVATIONS:
        for composed in (False, True):
            net = KerasNet(composed_swish=composed)
            output = net.activation(net.input((9,)), kind)
            assert np.allclose(run(net, output, x[None])[0], expected[kind], atol=1e-6), kind


def test_padding_is_tensorflows_same() -> None:
    x = np.arange(5, dtype=np.float32).reshape(1, 5, 1, 1)
    net = KerasNet()
    pooled = run(net, net.pool(net.input((5, 1, 1)), "max", 2, stride=2), x)
    assert pooled.ravel().tolist() == [1, 3, 4]


def test_names_are_scoped() -> None:
    names = {layer.name for layer in build_shapes(tiny_network()).layers}
    assert {"stem_conv", "stage2_block1_depthwise_conv", "stage2_block2_se_reduce", "head_classifier"} <= names


def test_the_classifier_gives_logits() -> None:
    model = build_model(tiny_network(), seed=0)
    assert type(model.layers[-1]).__name__ == "Dense"
    logits = np.asarray(model(np.random.default_rng(0).random((4, 16, 16, 3), np.float32)))
    assert not np.allclose(logits.sum(1), 1)


def test_seeds_decide_all_initial_values_and_touch_no_global_generator() -> None:
    import random

    random.seed(5)
    np.random.seed(5)
    before = random.getstate(), np.random.get_state()[1].tolist()
    first, same, other = (build_model(tiny_network(), seed=seed) for seed in (3, 3, 4))
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before
    for a, b in zip(first.weights, same.weights, strict=True):
        assert np.array_equal(a, b)
    kernels = [(a, b) for a, b in zip(first.weights, other.weights, strict=True) if a.name == "kernel"]
    assert kernels and not any(np.array_equal(a, b) for a, b in kernels)
    by_shape: dict[tuple[int, ...], list[Any]] = {}
    for a, _ in kernels:
        by_shape.setdefault(tuple(a.shape), []).append(np.asarray(a))
    assert all(not np.array_equal(group[0], other) for group in by_shape.values() for other in group[1:])


def test_norm_settings_reach_keras() -> None:
    norms = {m: build_shapes_norm(m) for m in (None, 0.8)}
    assert norms[None].momentum == 0.99 and norms[0.8].momentum == 0.8
    assert norms[None].epsilon == norms[0.8].epsilon == 1e-3


def build_shapes_norm(momentum: float | None) -> Any:
    return build_model(tiny_network(), norm_momentum=momentum).get_layer("stem_norm")


def test_composed_swish_computes_the_same() -> None:
    x = np.random.default_rng(0).random((3, 16, 16, 3), np.float32)
    stock, composed = (build_model(tiny_network(), seed=0, composed_swish=c) for c in (False, True))
    assert len(composed.layers) > len(stock.layers)
    assert np.allclose(stock(x), composed(x), atol=1e-5)


def test_drop_path_drops_whole_examples() -> None:
    net = KerasNet(seed=0)
    x = np.ones((64, 4, 4, 2), np.float32)
    output = net.dropout(net.input((4, 4, 2)), 0.5, per_example=True)
    kept = run(net, output, x, training=True)
    assert set(np.unique(kept)) == {0.0, 2.0}
    assert all(len(np.unique(example)) == 1 for example in kept)
    assert np.array_equal(run(net, output, x), x)


@dataclass(frozen=True, kw_only=True)
class Halved(ops.Op):
    wrong: bool = False

    def output(self, *inputs: ops.Shape) -> ops.Shape:
        return (*inputs[0][:-1], inputs[0][-1] + 1) if self.wrong else inputs[0]


def test_a_new_operation_is_one_handler_and_its_shape_is_checked() -> None:
    import keras

    net = KerasNet()
    x = net.input((4,))
    with pytest.raises(NotImplementedError, match="no Keras handler for Halved"):
        net.apply(Halved(name="half"), x)

    @keras_value.register
    def _halved(op: Halved, context: Any, *inputs: Any) -> Any:
        return keras.layers.Rescaling(0.5, name=context.name)(*inputs)

    assert run(net, net.apply(Halved(name="half"), x), np.ones((1, 4), np.float32)).tolist() == [[0.5] * 4]
    with pytest.raises(ValueError, match=r"computed shape \(4,\), but Halved.output states \(5,\)"):
        net.apply(Halved(name="bad", wrong=True), x)


def run(net: KerasNet, output: Tensor, x: Any, *, training: bool = False) -> Any:
    import keras

    return np.asarray(keras.Model(net.inputs[0], output.value)(x, training=training))
