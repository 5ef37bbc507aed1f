"""The child program of expressions in NumPy: what is learned, what is refused, and what is not imported."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from autoglyph.child_programs.base import ChildFailed
from autoglyph.child_programs.datasets import Dataset, load_dataset
from autoglyph.child_programs.expressions.setup import make_setup
from autoglyph.child_programs.expressions.training import ExpressionTraining, train
from autoglyph.search_spaces.expressions.parser import parse
from autoglyph.search_spaces.expressions.vocabulary import vocabulary
from autoglyph.search_spaces.space import load_space


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_dataset("digits", seed=0, limit=600, validation_share=0.2)


def two_moons() -> Dataset:
    """300 points in two half circles, as images of two grey pixels."""
    rng = np.random.default_rng(0)
    angle, label = rng.uniform(0, np.pi, 300), rng.integers(0, 2, 300)
    turn = np.where(label == 0, 1, -1)
    points = np.stack([turn * np.cos(angle) + label, turn * np.sin(angle) + 0.4 * label], axis=1)
    x = (points + rng.normal(0, 0.1, points.shape)).astype(np.float32).reshape(300, 1, 2, 1)
    y = label.astype(np.int32)
    return Dataset(x[:200], y[:200], x[200:], y[200:], 2, "two moons", "drawn", "100 of 300 points")


@pytest.mark.parametrize(
    ("space", "name", "rate"),
    [
        ("activation", "swish", 0.05),
        ("activation_3", "elu", 0.05),
        ("optimizer_rule", "adam", 0.003),
        ("optimizer_rule_extended", "lion", 0.001),
        ("backprop_rule", "feedback-alignment", 0.05),
    ],
)
def test_known_individuals_learn_digits(digits: Dataset, space: str, name: str, rate: float) -> None:
    found = train(load_space(space).individual(name), digits, seed=0, hidden=32, steps=150, learning_rate=rate)
    assert found.accuracy > 85 and found.losses.shape == (150,) and found.losses[-1] < found.losses[0] / 2


def test_other_data_is_learned_too() -> None:
    found = train(load_space("activation").individual("swish"), two_moons(), seed=1, hidden=16, steps=300)
    assert found.accuracy > 95


def test_equal_seeds_give_equal_curves(digits: Dataset) -> None:
    rule = load_space("optimizer_rule").individual("g-plus-drop-m")
    a, b, c = (train(rule, digits, seed=seed, hidden=16, steps=20).losses for seed in (3, 3, 4))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


def test_batches_are_drawn_without_replacement(digits: Dataset) -> None:
    setup = make_setup(digits, seed=0, hidden=8, steps=20, batch=64, has_beta=False)
    per_epoch = len(digits.y_train) // 64
    first = setup.order[:per_epoch].ravel()
    assert setup.order.shape == (20, 64) and len(set(first.tolist())) == len(first)
    with pytest.raises(ValueError, match="too large for an expression"):
        make_setup(digits, seed=0, hidden=5000, steps=2, batch=64, has_beta=False)


def test_rungs_are_parts_of_one_training(digits: Dataset) -> None:
    program = ExpressionTraining(steps=[10, 30], hidden=16)
    swish = load_space("activation").individual("swish")
    measured = list(program.run(swish, seed=5, data=digits))
    whole = train(swish, digits, seed=5, hidden=16, steps=30)
    assert [rung.name for rung in program.rungs] == ["10 steps", "30 steps"]
    assert [m.rung for m in measured] == [0, 1] and measured[1].values["loss"] == whole.loss
    assert measured[1].values == {"accuracy": whole.accuracy, "loss": whole.loss, "learning_rate": 0.05}


def test_the_learning_rate_is_the_best_of_short_trainings(digits: Dataset) -> None:
    program = ExpressionTraining(steps=[30], hidden=16, learning_rate=None, probe_steps=10)
    for name, rates in (("lion", {0.001, 0.01}), ("sgd", {0.1, 1.0}), ("adam", {0.01, 0.1})):
        measured = list(program.run(load_space("optimizer_rule_extended").individual(name), seed=0, data=digits))
        assert measured[0].values["learning_rate"] in rates, name


@pytest.mark.parametrize(
    ("words", "text", "why"),
    [
        ("activation", "sqrt(x)", "non-finite"),
        ("activation", "beta", "constant"),
        ("activation", "exp(exp(exp(x)))", "not worth training"),
        ("activation", "x**3 * x**3", "explosive"),
        ("activation", "x**3", "loss of step [0-9]+ is (nan|inf)"),
        ("optimizer", "power(g, g)", "non-finite"),
        ("optimizer", "1 + 2", "constant"),
        ("optimizer", "-g", "loss of step [0-9]+ is (nan|inf)"),
        ("backprop", "h / (h - h)", "no gradient"),
    ],
)
def test_hopeless_candidates_fail_in_one_sentence(digits: Dataset, words: str, text: str, why: str) -> None:
    program = ExpressionTraining(steps=[60], hidden=64, learning_rate=5.0)
    with pytest.raises(ChildFailed, match=why) as raised:
        list(program.run(parse(text, vocabulary(words)), seed=0, data=digits))
    assert str(raised.value).endswith(".") and "\n" not in str(raised.value)


@pytest.mark.parametrize("space", ["activation_3", "optimizer_rule_3_decays", "backprop_rule_2"])
def test_random_candidates_are_measured_or_fail(digits: Dataset, space: str) -> None:
    genome = load_space(space).genome
    program = ExpressionTraining(steps=[5], hidden=8, learning_rate=1.0)
    measured = failed = 0
    for row in genome.random(120, np.random.default_rng(6)):
        try:
            values = next(program.run(genome.decode(row), seed=0, data=digits)).values
        except ChildFailed:
            failed += 1
        else:
            measured += 1
            assert np.isfinite(list(values.values())).all() and 0 <= values["accuracy"] <= 100
    assert measured > 20 and failed > 5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"backend": "jax"}, "Unknown back-end 'jax'"),
        ({"steps": [20, 10]}, "steps that rise"),
        ({"hidden": 0}, "hidden above 0"),
        ({"learning_rate": -1.0}, "learning_rate above 0"),
    ],
)
def test_settings_are_checked(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ExpressionTraining(**settings)


def test_numpy_needs_no_tensorflow() -> None:
    code = """
import sys
from autoglyph.child_programs.datasets import load_dataset
from autoglyph.child_programs.expressions.training import ExpressionTraining
from autoglyph.search_spaces.space import load_space
program = ExpressionTraining(steps=[3], hidden=8)
program.prepare(1)
data = load_dataset("digits", seed=0, limit=100)
for space, name in (("activation", "swish"), ("optimizer_rule", "adam"), ("backprop_rule", "backprop")):
    assert len(list(program.run(load_space(space).individual(name), seed=0, data=data))) == 1
assert not {"tensorflow", "keras", "ray"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)
