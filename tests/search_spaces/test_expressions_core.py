"""The expression core: programs as rows and text, evaluation, derivatives, simplification."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoglyph.search_spaces.expressions.binary_operations import BINARIES
from autoglyph.search_spaces.expressions.evaluate import derivatives, evaluate, needed_units
from autoglyph.search_spaces.expressions.fingerprint import activation_probes, fingerprint
from autoglyph.search_spaces.expressions.numerics import Context
from autoglyph.search_spaces.expressions.parser import parse
from autoglyph.search_spaces.expressions.program import Program, check, from_rows, to_rows, unit
from autoglyph.search_spaces.expressions.simplify import canonical_text, simplify
from autoglyph.search_spaces.expressions.text import to_latex, to_text
from autoglyph.search_spaces.expressions.unary_operations import UNARIES
from autoglyph.search_spaces.expressions.vocabulary import ACTIVATION, BACKPROP, OPTIMIZER, OPTIMIZER_DECAYS, vocabulary
from autoglyph.search_spaces.space import load_space

SPACES = ["activation", "activation_3", "optimizer_rule_2", "optimizer_rule_3_decays", "backprop_rule_2"]
X = activation_probes()


def value(program: Program, beta: float = 0.7) -> np.ndarray:
    return np.asarray(evaluate(program, {"x": X}, Context(beta=beta)))


@pytest.mark.parametrize("name", SPACES)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_text_and_rows_round_trip(name: str, seed: int) -> None:
    genome = load_space(name).genome
    program = genome.decode(genome.random(1, np.random.default_rng(seed))[0])
    assert from_rows(to_rows(program), program.words) == program
    text = to_text(program)
    read = parse(text, program.words)
    assert canonical_text(read) == canonical_text(program)
    settled = to_text(read)
    assert to_text(parse(settled, program.words)) == settled
    assert fingerprint(read) == fingerprint(program)
    assert to_latex(program).count("{") == to_latex(program).count("}")


@pytest.mark.parametrize("name", SPACES)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_simplification_changes_no_value(name: str, seed: int) -> None:
    genome = load_space(name).genome
    program = genome.decode(genome.random(1, np.random.default_rng(seed))[0])
    simple = simplify(program)
    assert canonical_text(simple) == canonical_text(program)
    assert canonical_text(parse(canonical_text(program), program.words)) == canonical_text(program)
    assert fingerprint(simple) == fingerprint(program)
    if name.startswith("activation"):
        np.testing.assert_array_equal(value(simple), value(program))


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("max(-(-x), x)", "x"),
        ("abs(abs(-x))", "abs(x)"),
        ("x * beta", "beta * x"),
        ("(-x) * (-sin(x))", "sin(x) * x"),
        ("gate(x, x)", "sigmoid(x) * x"),
        ("relu(softplus(x))", "softplus(x)"),
        ("tanh(x) + (-x)", "tanh(x) - x"),
        ("x - x", "x - x"),
        ("x / x", "x / x"),
        ("max(x, 0)", "relu(x)"),
    ],
)
def test_what_is_simplified_and_what_is_not(text: str, canonical: str) -> None:
    assert canonical_text(parse(text, ACTIVATION)) == canonical


def test_operations_have_the_derivatives_of_differences() -> None:
    x = np.array([-2.3, -0.8, 0.7, 1.9])
    step, beta = 1e-6, 0.8
    for name in ACTIVATION.unary_table:
        at = np.abs(x) if name == "sqrt" else x
        both = [UNARIES[name].function(*_numpy(at + d), Context(beta)) for d in (step, -step)]
        by_beta = [UNARIES[name].function(*_numpy(at), Context(beta + d)) for d in (step, -step)]
        program = parse(f"{name}(x)" if name != "beta" else "beta", ACTIVATION)
        if name in ("beta_times", "beta_plus"):
            program = Program(units=[unit(name, "x", "identity", "x", "left")], vocabulary="activation")
        _, dx, db = derivatives(program, at, beta)
        np.testing.assert_allclose(dx, (both[0] - both[1]) / (2 * step), rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(db, (by_beta[0] - by_beta[1]) / (2 * step), rtol=1e-6, atol=1e-8)
    for name in ACTIVATION.binary_table:
        program = Program(units=[unit("sin", "x", "beta_times", "x", name)], vocabulary="activation")
        assert name in BINARIES
        _, dx, db = derivatives(program, x, beta)
        both = [evaluate(program, {"x": x + d}, Context(beta)) for d in (step, -step)]
        by_beta = [evaluate(program, {"x": x}, Context(beta + d)) for d in (step, -step)]
        np.testing.assert_allclose(dx, (both[0] - both[1]) / (2 * step), rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(db, (by_beta[0] - by_beta[1]) / (2 * step), rtol=1e-6, atol=1e-8)


def _numpy(x: np.ndarray) -> tuple[object, np.ndarray]:
    from autoglyph.search_spaces.expressions.numerics import NumpyBackend

    return NumpyBackend, x


def test_numerics_are_the_documented_ones() -> None:
    x = np.array([-1.0, 0.0, 1000.0])

    def of(text: str) -> np.ndarray:
        return np.asarray(evaluate(parse(text, ACTIVATION), {"x": x}))

    assert np.isnan(of("sqrt(x)")[0]) and np.isposinf(of("exp(x)")[2])
    np.testing.assert_allclose(of("log_abs(x)")[1], np.log(1e-8))
    assert of("x / x")[1] == 0 and of("sinc(x)")[1] == 1 and np.isnan(of("exp(x) - exp(x)")[2])
    assert of("sigmoid(-x)")[2] == 0 and of("softplus(x)")[2] == 1000
    assert np.isnan(evaluate(parse("power(g, m)", OPTIMIZER), {"g": x, "m": 0.5 * np.ones(3)})[0])


def test_unread_units_are_not_computed() -> None:
    program = Program(
        units=[unit("exp", "x", "exp", "x", "add"), unit("sin", "x", "identity", "u1", "left")],
        vocabulary="activation",
    )
    assert needed_units(program) == [1] and to_text(program) == "sin(x)" and len(simplify(program).units) == 1


def test_equal_parts_are_computed_once() -> None:
    text = "(sin(x) + cos(x)) * tanh(sin(x) + cos(x))"
    program = parse(text, ACTIVATION)
    assert to_text(program) == text and [u.binary for u in program.units] == ["add", "multiply"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sin(x", "is not an expression from character 4 on: write one such as"),
        ("x + * x", "is not an expression from character 5 on"),
        ("sin(y)", "Unknown operand 'y'"),
        ("sine(x)", "did you mean 'sin'"),
        ("x % x", "is not part of an expression"),
        ("x + 3", "3 is no operand here"),
        ("x.real", "is not part of an expression"),
        ("sin(x, x, x)", "is not part of an expression"),
        ("x" * 3000, "at most 2000"),
        ("", "is not an expression"),
        ("-" * 1500 + "x", "not an expression|too deeply"),
    ],
)
def test_unreadable_text_is_one_sentence(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(text, ACTIVATION)


def test_unknown_names_and_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="Unknown register 'u1'"):
        check(Program(units=[unit("sin", "u1", "sin", "x", "add")], vocabulary="activation"))
    with pytest.raises(ValueError, match="at least one unit"):
        check(Program(units=[], vocabulary="activation"))
    with pytest.raises(ValueError, match="Unit 1 is"):
        from_rows([[0, 1, 0, 0, 0]], ACTIVATION)
    with pytest.raises(ValueError, match="Unknown vocabulary"):
        vocabulary("activations")


def test_vocabularies_name_operations_and_sources() -> None:
    sizes = {v.name: (len(v.operands), len(v.unaries), len(v.binaries)) for v in (ACTIVATION, OPTIMIZER)}
    assert sizes == {"activation": (1, 25, 10), "optimizer": (17, 12, 6)}
    for words in (ACTIVATION, OPTIMIZER, OPTIMIZER_DECAYS, BACKPROP):
        assert "arXiv" in words.source and words.status == "recalled"
        assert all(words.unary_table[name].arity == 1 for name in words.unaries)
        assert all(words.binary_table[name].arity == 2 for name in words.binaries)
