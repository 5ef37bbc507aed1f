"""A real pipelined step: its gradients against those of the whole batch on one device."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from small_networks import tiny_network

from autoglyph.child_programs import build_model
from autoglyph.child_programs.pipelined_training import pipelined_gradients, split_model
from autoglyph.child_programs.tensorflow_process import import_quietly

BATCH = 8


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    """A residual network with frozen batch normalisation, a batch, and the gradients of the batch at once."""
    import_quietly()
    import tensorflow as tf

    model = build_model(tiny_network(), seed=0)
    rng = np.random.default_rng(0)
    x = tf.constant(rng.normal(size=(BATCH, 16, 16, 3)), tf.float32)
    y = tf.constant(rng.integers(4, size=BATCH), tf.int32)
    with tf.GradientTape() as tape:
        value = loss(y, model(x, training=False))
    variables = model.trainable_variables
    gradients = tape.gradient(value, [v.value for v in variables])
    return {"model": model, "x": x, "y": y, "loss": value, "variables": variables, "gradients": gradients}


def loss(targets: Any, outputs: Any) -> Any:
    import tensorflow as tf

    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(targets, outputs))


@pytest.mark.parametrize(("parts", "micro_batches"), [(1, 1), (1, 4), (2, 1), (2, 2), (3, 4), (4, 8), (6, 2)])
def test_gradients_are_those_of_the_whole_batch(whole: dict[str, Any], parts: int, micro_batches: int) -> None:
    cut = split_model(whole["model"], parts)
    assert len(cut) == parts
    mean, gradients = pipelined_gradients(cut, whole["x"], whole["y"], loss, micro_batches)
    assert float(mean) == pytest.approx(float(whole["loss"]), abs=1e-5)
    names = [v.path for part in cut for v in part.trainable_variables]
    by_name = dict(zip(names, gradients, strict=True))
    assert sorted(names) == sorted(v.path for v in whole["variables"])
    largest = 0.0
    for variable, wanted in zip(whole["variables"], whole["gradients"], strict=True):
        found: NDArray[Any] = by_name[variable.path].numpy()
        largest = max(largest, float(np.abs(found).max()))
        assert np.abs(found - wanted.numpy()).max() < 1e-5
    assert largest > 0.01  # the bar is far below the gradients


@pytest.mark.slow
def test_a_compiled_step_has_the_same_gradients(whole: dict[str, Any]) -> None:
    import tensorflow as tf

    parts = split_model(whole["model"], 3)
    step = tf.function(lambda x, y: pipelined_gradients(parts, x, y, loss, 4), autograph=False)
    plain, compiled = pipelined_gradients(parts, whole["x"], whole["y"], loss, 4), step(whole["x"], whole["y"])
    assert float(compiled[0]) == pytest.approx(float(plain[0]), abs=1e-6)
    assert len(compiled[1]) == len(plain[1]) == len(whole["variables"])
    assert all(np.abs(a - b).max() < 1e-5 for a, b in zip(compiled[1], plain[1], strict=True))


def test_the_parts_together_are_the_model(whole: dict[str, Any]) -> None:
    value = whole["x"]
    parts = split_model(whole["model"], 4)
    for part in parts:
        value = part(value, training=False)
    assert np.array_equal(value, whole["model"](whole["x"], training=False))
    sizes = [len(part.layers) - 1 for part in parts]
    assert sum(sizes) == len(whole["model"].layers) - 1 and max(sizes) < sum(sizes) / 2


def test_a_layer_in_two_parts_gets_the_sum_of_its_gradients() -> None:
    import keras
    import tensorflow as tf

    shared = keras.layers.Dense(3, activation="tanh")
    x, y = tf.random.stateless_normal((6, 3), [0, 1]), tf.random.stateless_normal((6, 3), [2, 3])

    def error(targets: Any, outputs: Any) -> Any:
        return tf.reduce_mean((targets - outputs) ** 2)

    shared.build((None, 3))
    _, gradients = pipelined_gradients([shared, shared], x, y, error, 3)
    with tf.GradientTape() as tape:
        value = error(y, shared(shared(x)))
    wanted = tape.gradient(value, [v.value for v in shared.trainable_variables])
    assert len(gradients) == len(wanted) == 2
    assert all(np.abs(g - w).max() < 1e-6 for g, w in zip(gradients, wanted, strict=True))


def test_what_cannot_run_is_refused_in_one_sentence(whole: dict[str, Any]) -> None:
    import keras

    with pytest.raises(ValueError, match=r"batch of 8 does not split in 3 micro-batches"):
        pipelined_gradients([whole["model"]], whole["x"], whole["y"], loss, 3)
    with pytest.raises(ValueError, match="at least one model"):
        pipelined_gradients([], whole["x"], whole["y"], loss, 1)
    with pytest.raises(ValueError, match=r"can be cut in 1 to \d+ parts, not 1000"):
        split_model(whole["model"], 1000)
    entry = keras.Input((4,))
    random = keras.Model(entry, keras.layers.Dense(2)(keras.layers.Dropout(0.5, name="drop")(entry)))
    with pytest.raises(ValueError, match="layer 'drop' would draw other numbers"):
        pipelined_gradients([random], np.ones((2, 4), "f"), np.ones(2, "i"), loss, 1, training=True)
    with pytest.raises(ValueError, match="1 inputs and 2 outputs"):
        split_model(keras.Model(entry, [keras.layers.Dense(1)(entry), keras.layers.Dense(1)(entry)]), 2)
