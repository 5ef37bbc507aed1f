"""Expressions as Keras layers, optimizers and wrappers: equal to Keras' own, and loaded where this project is not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from test_export import STRANGER

from autoglyph.child_programs import export_model
from autoglyph.child_programs.expression_layers import (
    check_standalone_path,
    keras_code,
    load_standalone,
    standalone_file,
    write_standalone,
)
from autoglyph.search_spaces import load_space
from autoglyph.search_spaces.expressions.backprop_rules import layer_errors
from autoglyph.search_spaces.expressions.evaluate import evaluate
from autoglyph.search_spaces.expressions.numerics import Context
from autoglyph.search_spaces.expressions.optimizers import run_rule
from autoglyph.search_spaces.expressions.parser import parse
from autoglyph.search_spaces.expressions.program import Program, unit
from autoglyph.search_spaces.expressions.text import to_text
from autoglyph.search_spaces.expressions.vocabulary import OPTIMIZER_DECAYS

# Keras 3.15 saves its variables through an __array__ that does not know NumPy 2's copy argument.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

SCALES, START = np.linspace(0.1, 1.0, 7), np.linspace(-1.0, 2.0, 7)


def found(reference: str) -> Any:
    """The class of a known individual."""
    space, name = reference.split(":")
    file = standalone_file(load_space(space).individual(name), reference)
    return getattr(load_standalone(file), file.class_name)


def gradient(w: Any) -> Any:
    return SCALES * w + 0.05 * np.sin(5 * w)


def way(optimizer: Any, steps: int) -> Any:
    weights = keras.Variable(START, dtype="float64")
    optimizer.build([weights])
    passed = [START]
    for _ in range(steps):
        optimizer.apply([tf.constant(gradient(weights.numpy()))], [weights])
        passed.append(weights.numpy())
    return np.array(passed)


class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate as a function of the number of the step, from 1."""

    def __init__(self, rate: Callable[[Any], Any]) -> None:
        self.rate = rate

    def __call__(self, step: Any) -> Any:
        return self.rate(tf.cast(step, tf.float64) + 1)


# The averages of the rules are divided by 1 - decay^t; a schedule turns that into the averages of Keras.
PAIRS = {
    "optimizer_rule:sgd": (0.01, keras.optimizers.SGD(0.01)),
    "optimizer_rule:momentum": (Schedule(lambda t: 0.1 * (1 - 0.9**t)), keras.optimizers.SGD(0.01, momentum=0.9)),
    "optimizer_rule:rmsprop": (
        Schedule(lambda t: 0.01 / (1 - 0.999**t) ** 0.5),
        keras.optimizers.RMSprop(0.01, rho=0.999, epsilon=1e-16),
    ),
    "optimizer_rule:adam": (0.01, keras.optimizers.Adam(0.01, epsilon=1e-8)),
    "optimizer_rule_extended:momentum": (0.01, keras.optimizers.SGD(0.01, momentum=0.9)),
    "optimizer_rule_extended:rmsprop": (0.01, keras.optimizers.RMSprop(0.01, rho=0.9, epsilon=1e-16)),
    "optimizer_rule_extended:lion": (0.001, keras.optimizers.Lion(0.001)),
}


@pytest.mark.parametrize("reference", PAIRS)
def test_update_rules_are_those_of_keras_for_100_steps(reference: str) -> None:
    rate, theirs = PAIRS[reference]
    np.testing.assert_allclose(way(found(reference)(rate), 100), way(theirs, 100), rtol=0, atol=1e-5)


DECAYS = ("ld", "cd", "rd")
DECAYED = [f"optimizer_rule_3_decays:powersign-{decay}" for decay in DECAYS]
DECAYED += [f"optimizer_rule_4_decays:addsign-{decay}" for decay in DECAYS]


@pytest.mark.parametrize("reference", ["optimizer_rule_2:powersign", "optimizer_rule_3:addsign", *DECAYED])
def test_update_rules_with_decays_follow_numpy(reference: str) -> None:
    space, name = reference.split(":")
    wanted = run_rule(load_space(space).individual(name), gradient, START, 0.01, 60)
    np.testing.assert_allclose(way(found(reference)(0.01, total_steps=60), 60), wanted, rtol=0, atol=1e-6)


def test_random_update_rules_without_noise_follow_numpy() -> None:
    genome = load_space("optimizer_rule_3_decays").genome
    followed = 0
    for row in genome.random(60, np.random.default_rng(5)):
        program = genome.decode(row)
        file = standalone_file(program, "random")
        if {"noise", "drop"} & set(file.reads):
            continue
        wanted = run_rule(program, gradient, START, 0.001, 4)
        optimizer = getattr(load_standalone(file), file.class_name)(0.001, total_steps=4)
        np.testing.assert_allclose(way(optimizer, 4), wanted, rtol=1e-5, atol=1e-5, err_msg=to_text(program))
        followed += bool(np.isfinite(wanted).all())
    assert followed > 10


def test_decays_need_the_length_of_the_training() -> None:
    with pytest.raises(ValueError, match="give total_steps"):
        found("optimizer_rule_3_decays:powersign-ld")(0.01)


def test_noise_depends_on_seed_step_and_array() -> None:
    rule = standalone_file(parse("noise", OPTIMIZER_DECAYS), "noise")
    optimizer = getattr(load_standalone(rule), rule.class_name)
    first, again, other = (way(optimizer(1.0, seed=seed), 3) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.allclose(first, other)
    steps = np.diff(first, axis=0)
    assert not np.allclose(steps[0], steps[1]) and 0.03 < steps.std() < 0.3


def test_swish_is_silu_and_every_known_function_is_that_of_numpy() -> None:
    x = np.linspace(-6, 6, 61).astype(np.float32)
    swish = found("activation:swish")()
    np.testing.assert_allclose(swish(x[:, None])[:, 0], keras.activations.silu(x), rtol=1e-6, atol=1e-6)
    for space in ("activation", "activation_2", "activation_3"):
        for name in load_space(space).individual_names:
            program = load_space(space).individual(name)
            file = standalone_file(program, name)
            function = getattr(load_standalone(file), file.function_name)
            np.testing.assert_allclose(function(x), evaluate(program, {"x": x}), rtol=1e-5, atol=1e-6)


def test_random_functions_agree_with_numpy() -> None:
    x, beta = np.linspace(-3, 3, 41), np.float64(0.7)
    genome = load_space("activation_3").genome
    for row in genome.random(80, np.random.default_rng(2)):
        program = genome.decode(row)
        code = keras_code(program)
        source = "def f(x, beta):\n" + "".join(f"    {line}\n" for line in code.lines)
        names: dict[str, Any] = {"ops": keras.ops}
        exec(source, names)
        wanted = evaluate(program, {"x": x}, Context(beta=beta))
        value = names["f"](tf.constant(x), beta)
        np.testing.assert_allclose(value, wanted, rtol=1e-5, atol=1e-5, equal_nan=True, err_msg=to_text(program))


def test_beta_is_trained_per_channel() -> None:
    layer = found("activation:swish")(beta=0.5)
    x = tf.random.stateless_normal((4, 3), (1, 2))
    with tf.GradientTape() as tape:
        y = layer(x)
    assert layer.beta.shape == (3,) and tape.gradient(y, layer.beta.value).shape == (3,)
    np.testing.assert_allclose(y, x * tf.sigmoid(0.5 * x), rtol=1e-6)


def dense_layers() -> list[Any]:
    return [keras.layers.Dense(8, "tanh"), keras.layers.Dense(6, "tanh"), keras.layers.Dense(3)]


def convolutional_layers() -> list[Any]:
    layers = keras.layers
    convolution = layers.Conv2D(4, 3, activation="tanh")
    return [convolution, layers.MaxPooling2D(), layers.Flatten(), layers.Dense(6, "gelu"), layers.Dense(3)]


def loss_and_gradients(call: Any, x: Any, weights: list[Any]) -> tuple[Any, list[Any]]:
    labels = np.arange(len(x)) % 3
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, call(x)))
    return loss, tape.gradient(loss, [each.value for each in weights])


@pytest.mark.parametrize("reference", ["backprop_rule:backprop", "backprop_rule_2:backprop-from-weights"])
@pytest.mark.parametrize("layers", [dense_layers, convolutional_layers], ids=["dense", "convolutional"])
def test_back_propagation_gives_the_gradients_of_a_tape(reference: str, layers: Any) -> None:
    rng = np.random.default_rng(0)
    is_dense = layers is dense_layers
    wrapper = found(reference)(layers())
    x = rng.normal(size=(5, 4) if is_dense else (5, 8, 8, 2)).astype(np.float32)
    if reference.endswith("weights") and not is_dense:
        with pytest.raises(ValueError, match="needs Dense layers that follow each other"):
            wrapper(x)
        return
    wrapper(x)
    weights = wrapper.trainable_variables

    def plainly(x: Any) -> Any:
        for layer in wrapper.chain:
            x = layer(x)
        return x

    loss, ours = loss_and_gradients(tf.function(wrapper), x, weights)
    plain_loss, theirs = loss_and_gradients(plainly, x, weights)
    np.testing.assert_allclose(loss, plain_loss, rtol=1e-6)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)


RULES = [(space, name) for space in ("backprop_rule", "backprop_rule_2") for name in load_space(space).individual_names]


@pytest.mark.parametrize(("space", "name"), RULES)
def test_wrapped_layers_learn_by_the_rule_in_numpy(space: str, name: str) -> None:
    wrapper = found(f"{space}:{name}")(dense_layers())
    x = np.random.default_rng(3).normal(size=(5, 4)).astype(np.float32)
    wrapper(x)
    _, gradients = loss_and_gradients(wrapper, x, wrapper.trainable_variables)
    kernels = [layer.kernel.numpy().astype(np.float64) for layer in wrapper.chain]
    fixed = [each.numpy() for each in wrapper.feedback] or kernels[1:]
    direct = [each.numpy() for each in wrapper.direct_feedback] or [np.zeros((n, 3)) for n in (8, 6)]
    labels = np.eye(3)[np.arange(5) % 3]

    def error(logits: Any) -> Any:
        return tf.nn.softmax(logits).numpy() - labels

    program = load_space(space).individual(name)
    errors = layer_errors(program, kernels, x.astype(np.float64), error, [kernels[0], *fixed], direct)
    h: Any = x
    for i, (kernel, b) in enumerate(zip(kernels, errors, strict=True)):
        np.testing.assert_allclose(gradients[2 * i], h.T @ b, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(gradients[2 * i + 1], b.sum(axis=0), rtol=1e-4, atol=1e-5)
        h = np.tanh(h @ kernel)


def test_layers_that_the_rule_does_not_know_are_refused() -> None:
    wrap = found("backprop_rule:backprop")
    layers = keras.layers
    with pytest.raises(ValueError, match="No rule for the weights of norm"):
        wrap([layers.Dense(4), layers.BatchNormalization(name="norm"), layers.Dense(2)])(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="last layer with weights must be Dense"):
        wrap([layers.Dense(4), layers.Reshape((2, 2)), layers.Conv1D(2, 1)])(np.zeros((2, 3)))


TRAIN_ON = """
import importlib.util
spec = importlib.util.spec_from_file_location("found", sys.argv[4])
spec.loader.exec_module(importlib.util.module_from_spec(spec))
model = keras.models.load_model(sys.argv[1])
x = np.load(sys.argv[2])
np.save(sys.argv[3], np.asarray(model(x)))
model.fit(x, np.arange(len(x)) % 3, batch_size=5, epochs=2, shuffle=False, verbose=0)
np.savez(sys.argv[3] + ".npz", *[v.numpy() for v in model.trainable_variables])
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "reference",
    ["activation:swish", "optimizer_rule:g-plus-drop-m", "backprop_rule_2:random-sign-symmetry"],
)
def test_a_stranger_loads_the_model_and_trains_on(tmp_path: Path, reference: str) -> None:
    space, name = reference.split(":")
    file = standalone_file(load_space(space).individual(name), reference)
    thing = getattr(load_standalone(file), file.class_name)
    keras.utils.set_random_seed(1)
    optimizer: Any = keras.optimizers.SGD(0.1, momentum=0.9)
    layers = dense_layers()
    if space.startswith("activation"):
        layers = [keras.layers.Dense(8), thing(), keras.layers.Dense(3)]
    elif space.startswith("optimizer"):
        optimizer = thing(0.01, total_steps=20)
    else:
        layers = [thing(layers)]
    model = keras.Sequential([keras.Input((4,)), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, jit_compile=False)
    x = np.random.default_rng(0).normal(size=(10, 4)).astype(np.float32)
    labels = np.arange(10) % 3
    settings = {"batch_size": 5, "epochs": 2, "shuffle": False, "verbose": 0}
    model.fit(x, labels, **settings)
    paths = [export_model(model, tmp_path / "m.keras"), tmp_path / "x.npy", tmp_path / "y.npy"]
    paths.append(write_standalone(file, tmp_path / "found.py"))
    np.save(paths[1], x)
    loading, _, _ = STRANGER.partition("model = ")
    program = loading + TRAIN_ON
    subprocess.run(
        [sys.executable, "-I", "-c", program, *map(str, paths)], cwd=tmp_path, check=True, capture_output=True
    )
    np.testing.assert_allclose(np.load(paths[2]), model(x), rtol=1e-5, atol=1e-6)
    model.fit(x, labels, **settings)
    with np.load(str(paths[2]) + ".npz") as theirs:
        for ours, name in zip(model.trainable_variables, theirs.files, strict=True):
            np.testing.assert_allclose(ours.numpy(), theirs[name], rtol=1e-4, atol=1e-5)


def test_two_functions_live_side_by_side() -> None:
    first, second = (
        standalone_file(load_space("activation").individual(name), "run:7") for name in ("relu", "cos-minus-x")
    )
    assert first.class_name == second.class_name == "Found7" and first.registered_name != second.registered_name


def test_names_cannot_carry_code(tmp_path: Path) -> None:
    evil = Program(units=[unit("exp", "x) or __import__('os')", "exp", "x", "add")], vocabulary="activation")
    with pytest.raises(ValueError, match="[Uu]nknown register"):
        standalone_file(evil, "evil")
    good = load_space("activation").individual("swish")
    file = standalone_file(good, '"""\nimport os\n: class')
    assert "import os" not in file.source and file.function_name == "class_rule"
    for name in ("a.txt", "1.py", "if.py"):
        with pytest.raises(ValueError, match="Python can import"):
            check_standalone_path(tmp_path / name)
    with pytest.raises(ValueError, match="make the folder"):
        check_standalone_path(tmp_path / "absent" / "a.py")
    (tmp_path / "b.py").mkdir()
    with pytest.raises(ValueError, match="it is a folder"):
        check_standalone_path(tmp_path / "b.py")
