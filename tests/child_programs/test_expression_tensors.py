"""Programs in TensorFlow against NumPy: values, and gradients against forward-mode derivatives."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from autoglyph.child_programs.expressions.tensors import evaluate_tensors, random_drop
from autoglyph.search_spaces.expressions.backprop_rules import layer_errors, probe_operands
from autoglyph.search_spaces.expressions.evaluate import derivatives, evaluate
from autoglyph.search_spaces.expressions.fingerprint import activation_probes
from autoglyph.search_spaces.expressions.numerics import Context
from autoglyph.search_spaces.expressions.optimizers import Moments, operands
from autoglyph.search_spaces.expressions.parser import parse
from autoglyph.search_spaces.expressions.program import Program
from autoglyph.search_spaces.expressions.text import to_text
from autoglyph.search_spaces.expressions.vocabulary import OPTIMIZER
from autoglyph.search_spaces.space import load_space


def random_programs(space: str, count: int) -> list[Program]:
    genome = load_space(space).genome
    return [genome.decode(row) for row in genome.random(count, np.random.default_rng(7))]


def agrees(found: np.ndarray, wanted: np.ndarray) -> bool:
    """To 1e-5, relative where above 1; NaN and infinities alike."""
    return bool(np.allclose(found, wanted, rtol=1e-5, atol=1e-5, equal_nan=True))


def test_activations_and_their_gradients_agree() -> None:
    x = activation_probes()[:64][None, :] * np.ones((2, 1))
    beta = np.array([[0.4], [1.7]]) * np.ones((1, 64))
    finite = 0
    programs = random_programs("activation", 150) + random_programs("activation_2", 100)
    for program in [*programs, *random_programs("activation_3", 50)]:
        wanted = derivatives(program, x, beta)
        with tf.GradientTape() as tape:
            tensors = tf.constant(x), tf.constant(beta)
            tape.watch(tensors)
            y = evaluate_tensors(program, {"x": tensors[0]}, Context(beta=tensors[1]))
        gradients = tape.gradient(y, tensors, unconnected_gradients="zero")
        assert agrees(y.numpy(), wanted[0]), to_text(program)
        if np.isfinite(wanted[0]).all():
            finite += 1
            for gradient, partial in zip(gradients, wanted[1:], strict=True):
                assert agrees(gradient.numpy(), partial), to_text(program)
    assert finite > 200


def test_single_precision_stays_single() -> None:
    x = np.linspace(-3, 3, 31, dtype=np.float32)
    for name in load_space("activation").individual_names:
        program = load_space("activation").individual(name)
        found = evaluate_tensors(program, {"x": tf.constant(x)}).numpy()
        wanted = evaluate(program, {"x": x})
        assert found.dtype == wanted.dtype == np.float32
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_update_rules_agree() -> None:
    rng = np.random.default_rng(3)
    g, w, noise = rng.normal(size=(3, 40))
    terms = operands(g, w, Moments().after(rng.normal(size=40)).after(g), noise, 100)
    tensors = {name: tf.constant(value) for name, value in terms.items()}
    for program in random_programs("optimizer_rule_3_decays", 150):
        wanted = evaluate(program, terms)
        assert agrees(evaluate_tensors(program, tensors).numpy(), wanted), to_text(program)


def test_back_propagation_rules_agree() -> None:
    terms = probe_operands(0)
    tensors = {name: tf.constant(value) for name, value in terms.items()}
    for program in random_programs("backprop_rule_2", 150):
        wanted = evaluate(program, terms)
        assert agrees(evaluate_tensors(program, tensors).numpy(), wanted), to_text(program)


def test_swish_is_that_of_keras() -> None:
    x = tf.linspace(-6.0, 6.0, 101)
    found = evaluate_tensors(load_space("activation").individual("swish"), {"x": x}, Context(beta=1.0))
    np.testing.assert_allclose(found, tf.keras.activations.silu(x), rtol=1e-6, atol=1e-6)


def test_back_propagation_as_a_program_gives_the_gradients_of_a_tape() -> None:
    rng = np.random.default_rng(11)
    sizes, batch = (6, 9, 7, 4), 5
    weights = [rng.normal(size=pair) / 3 for pair in zip(sizes[:-1], sizes[1:], strict=True)]
    feedback = [rng.normal(size=each.shape) for each in weights]
    direct = [rng.normal(size=(size, sizes[-1])) for size in sizes[1:-1]]
    x, labels = rng.normal(size=(batch, sizes[0])), rng.integers(0, sizes[-1], batch)

    def error(logits: np.ndarray) -> np.ndarray:
        return tf.nn.softmax(logits).numpy() - np.eye(sizes[-1])[labels]

    matrices = [tf.constant(each) for each in weights]
    with tf.GradientTape() as tape:
        tape.watch(matrices)
        h = tf.constant(x)
        layers = [h]
        for matrix in matrices:
            layers.append(h @ matrix)
            h = tf.tanh(layers[-1])
        loss = tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, layers[-1]))
    wanted = tape.gradient(loss, matrices)
    inputs = [x, *(np.tanh(layer) for layer in layers[1:-1])]
    for space, name in (("backprop_rule", "backprop"), ("backprop_rule_2", "backprop-from-weights")):
        errors = layer_errors(load_space(space).individual(name), weights, x, error, feedback, direct)
        for h_before, b, gradient in zip(inputs, errors, wanted, strict=True):
            np.testing.assert_allclose(h_before.T @ b, gradient, rtol=1e-9, atol=1e-12)


def test_dropping_keeps_the_mean() -> None:
    g = tf.ones((100_000,))
    dropped = evaluate_tensors(parse("drop_3(g)", OPTIMIZER), {"g": g}, Context(drop=random_drop(5))).numpy()
    assert abs((dropped == 0).mean() - 0.3) < 0.01 and abs(dropped.mean() - 1) < 0.01
