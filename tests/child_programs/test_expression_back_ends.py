"""NumPy, one TensorFlow program and Keras train the same networks; rules are those of Keras' own optimizers."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from autoglyph.child_programs.base import ChildFailed
from autoglyph.child_programs.datasets import Dataset, load_dataset
from autoglyph.child_programs.expressions.row_interpreter import live_rows
from autoglyph.child_programs.expressions.setup import make_setup, parts_of
from autoglyph.child_programs.expressions.training import BACKENDS, ExpressionTraining, train, trainer
from autoglyph.search_spaces.expressions.optimizers import run_rule
from autoglyph.search_spaces.expressions.parser import parse
from autoglyph.search_spaces.expressions.program import Program, to_rows, unit
from autoglyph.search_spaces.expressions.vocabulary import ACTIVATION, OPTIMIZER_EXTENDED, vocabulary
from autoglyph.search_spaces.space import load_space

RATE = 0.002
SMALL = {"hidden": 12, "steps": 25, "batch": 32}


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_dataset("digits", seed=0, limit=300, validation_share=0.2)


def gradient(w: np.ndarray) -> np.ndarray:
    return np.linspace(0.3, 3, w.size) * w + 0.2 * np.sin(5 * w)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("sgd", lambda: keras.optimizers.SGD(RATE)),
        ("momentum", lambda: keras.optimizers.SGD(RATE, momentum=0.9)),
        ("rmsprop", lambda: keras.optimizers.RMSprop(RATE, rho=0.9, epsilon=1e-12)),
        ("adam", lambda: keras.optimizers.Adam(RATE, epsilon=1e-8)),
        ("lion", lambda: keras.optimizers.Lion(RATE)),
    ],
)
def test_known_rules_follow_the_optimizers_of_keras_for_100_steps(name: str, make) -> None:
    start = np.random.default_rng(2).normal(size=12)
    found = run_rule(load_space("optimizer_rule_extended").individual(name), gradient, start, RATE, 100)
    optimizer, variable = make(), keras.Variable(start, dtype="float64")
    for step in range(100):
        optimizer.apply([tf.constant(gradient(variable.numpy()))], [variable])
        np.testing.assert_allclose(found[step + 1], variable.numpy(), rtol=0, atol=1e-5)
    assert np.abs(found[-1] - start).max() > 0.1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "rate", "texts"),
    [
        ("activation", 0.02, ["gate(beta * x, x)", "max(x, erf(x))"]),
        ("optimizer_extended", 0.02, ["adam", "g + drop_3(m)", "sign(blend)", "rmsprop + noise", "velocity * cd"]),
        ("backprop", 0.01, ["g_bp", "drop_3(g_fa) + g_dfa", "clip_001(g_bp)"]),
    ],
)
def test_back_ends_have_equal_learning_curves(digits: Dataset, words: str, rate: float, texts: list[str]) -> None:
    for text in texts:
        candidate = parse(text, vocabulary(words))
        found = [train(candidate, digits, seed=1, backend=b, learning_rate=rate, **SMALL) for b in BACKENDS]
        for each in found[1:]:
            # Threads of TensorFlow add in any order, and kinks make a few 1e-5 of it.
            np.testing.assert_allclose(each.losses, found[0].losses, rtol=0, atol=2e-4, err_msg=text)
            assert abs(each.loss - found[0].loss) < 2e-4 and abs(each.accuracy - found[0].accuracy) < 1e-9


@pytest.mark.slow
def test_back_propagation_as_an_expression_gives_the_gradients_of_a_tape(digits: Dataset) -> None:
    rules = [("backprop_rule", "backprop"), ("backprop_rule_2", "backprop-from-weights")]
    for space, name in rules:
        parts = parts_of(load_space(space).individual(name))
        setup = make_setup(digits, seed=2, hidden=12, steps=25, batch=32, has_beta=False)
        views = setup.layout.views(setup.start)
        weights = {key: tf.constant(value) for key, value in views.items()}
        with tf.GradientTape() as tape:
            tape.watch(weights)
            h = tf.constant(setup.x_train[setup.order[0]])
            for i in range(3):
                p = h @ weights[f"w{i}"] + weights[f"b{i}"]
                h = tf.tanh(p)
            labels = setup.y_train[setup.order[0]]
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, p))
        wanted = tape.gradient(loss, weights)
        for backend in BACKENDS if name == "backprop" else BACKENDS[:1]:
            running = trainer(backend, parts, setup, 1.0)
            running.train(1)
            found = setup.layout.views(setup.start - running.weights)
            for key, value in wanted.items():
                np.testing.assert_allclose(found[key], value.numpy(), rtol=0, atol=1e-6)


@pytest.mark.slow
def test_a_loss_that_is_no_number_ends_every_back_end_at_the_same_step(digits: Dataset) -> None:
    said = set()
    for backend in BACKENDS:
        with pytest.raises(ChildFailed) as raised:
            train(parse("-g", OPTIMIZER_EXTENDED), digits, seed=0, backend=backend, learning_rate=50.0, **SMALL)
        said.add(str(raised.value).split(" is ")[0])
    assert len(said) == 1 and said.pop().startswith("The loss of step")


@pytest.mark.slow
def test_rungs_go_on_where_they_stopped(digits: Dataset) -> None:
    candidate = parse("g + drop_3(m)", OPTIMIZER_EXTENDED)
    for backend in ("tensorflow", "keras"):
        program = ExpressionTraining(backend=backend, steps=[10, 25], hidden=12, batch=32, learning_rate=0.02)
        last = list(program.run(candidate, seed=1, data=digits))[-1]
        whole = train(candidate, digits, seed=1, learning_rate=0.02, **SMALL)
        assert abs(last.values["loss"] - whole.loss) < 2e-5


def test_rows_leave_out_what_is_not_read() -> None:
    program = Program(
        units=[unit("exp", "x", "sin", "x", "add"), unit("cos", "x", "sqrt", "u1", "left")], vocabulary="activation"
    )
    identity = list(ACTIVATION.unary_table).index("identity")
    left = list(ACTIVATION.binary_table).index("left")
    cos = list(ACTIVATION.unary_table).index("cos")
    assert live_rows(program).tolist() == [[identity, 0, identity, 0, left], [cos, 0, identity, 0, left]]
    swish = load_space("activation").individual("swish")
    np.testing.assert_array_equal(live_rows(swish), to_rows(swish))


@pytest.mark.slow
def test_what_is_not_read_spoils_no_gradient(digits: Dataset) -> None:
    """The slope of a root of negative numbers is NaN, which times a gradient of 0 is NaN too."""
    program = Program(units=[unit("tanh", "x", "sqrt", "x", "left")], vocabulary="activation")
    a, b = (train(program, digits, seed=0, backend=backend, **SMALL) for backend in ("numpy", "tensorflow"))
    np.testing.assert_allclose(a.losses, b.losses, atol=2e-5)
