"""The spaces of expressions: sizes, known individuals against hand-written references, legality, fingerprints."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from autoglyph.search_spaces.expressions.activations import activation_space
from autoglyph.search_spaces.expressions.backprop_rules import layer_errors, probe_operands
from autoglyph.search_spaces.expressions.evaluate import derivatives, evaluate
from autoglyph.search_spaces.expressions.fingerprint import activation_probes, fingerprint
from autoglyph.search_spaces.expressions.numerics import Context
from autoglyph.search_spaces.expressions.optimizers import decays, run_rule
from autoglyph.search_spaces.expressions.parser import parse
from autoglyph.search_spaces.expressions.program import Program, unit
from autoglyph.search_spaces.expressions.shapes import program_shape
from autoglyph.search_spaces.expressions.text import to_text
from autoglyph.search_spaces.expressions.vocabulary import ACTIVATION, OPTIMIZER
from autoglyph.search_spaces.space import load_space

SHARED = Path(__file__).resolve().parents[3] / "shared" / "reference"
EPSILON = 1e-8


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("activation", 6250),
        ("activation_2", 6250 * 25_000),
        ("activation_3", 6250 * 25_000 * 56_250),
        ("optimizer_rule", 249_696),
        ("optimizer_rule_2", 249_696 * 279_936),
        ("optimizer_rule_3", 249_696 * 279_936 * 311_904),
        ("optimizer_rule_3_decays", (20 * 21 * 22) ** 2 * 864**3),
        ("backprop_rule", 170_586),
        ("backprop_rule_2", 60_899_319_676),
    ],
)
def test_sizes_are_exact_and_individuals_are_points(name: str, size: int) -> None:
    space = load_space(name)
    assert space.name == name and space.size == size and space.individual_names
    for known in space.individual_names:
        program = space.individual(known)
        assert space.genome.decode(space.genome.encode(program)) == program
        assert not fingerprint(program).degenerate


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


ACTIVATIONS: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "relu": lambda x, b: np.where(x > 0, x, 0),
    "swish": lambda x, b: x * _sigmoid(b * x),
    "silu": lambda x, b: x * _sigmoid(x),
    "tanh": lambda x, b: np.tanh(x),
    "softplus": lambda x, b: np.log(1 + np.exp(x)),
    "max-x-sigmoid": lambda x, b: np.maximum(x, _sigmoid(x)),
    "cos-minus-x": lambda x, b: np.cos(x) - x,
    "min-x-sin": lambda x, b: np.minimum(x, np.sin(x)),
    "max-x-tanh": lambda x, b: np.maximum(x, np.tanh(x)),
    "sinc-plus-x": lambda x, b: np.sinc(x / np.pi) + x,
    "atan2-minus-x": lambda x, b: np.arctan(x) ** 2 - x,
    "x-asinh2": lambda x, b: x * np.arcsinh(x) ** 2,
    "elu-plus-one": lambda x, b: np.where(x > 0, x + 1, np.exp(np.minimum(x, 0))),
    "elu": lambda x, b: np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1) + 1 - b,
}


def test_known_activations_are_their_references() -> None:
    x = np.linspace(-6, 6, 200)
    known = {name: space for space in map(activation_space, (1, 2, 3)) for name in space.individual_names}
    assert set(known) == set(ACTIVATIONS)
    for name, reference in ACTIVATIONS.items():
        found = evaluate(known[name].individual(name), {"x": x}, Context(beta=1.3))
        np.testing.assert_allclose(found, reference(x, 1.3), rtol=1e-12, atol=1e-12, err_msg=name)


def test_functions_that_the_paper_reports_can_be_read() -> None:
    table = SHARED / "activations_swish_paper.csv"
    if not table.is_file():
        pytest.skip("needs ../shared/reference/activations_swish_paper.csv: absent")
    with open(table, newline="") as file:
        texts = [row["expr"] for row in csv.DictReader(file) if row["expr"]]
    programs = [parse(text.replace("b*x", "beta*x"), ACTIVATION) for text in texts]
    assert len(programs) == 9 and not any(fingerprint(program).degenerate for program in programs)
    assert len({fingerprint(program).key for program in programs}) == 9


def test_swish_has_one_encoding_and_silu_three() -> None:
    genome = load_space("activation").genome
    prints = [fingerprint(genome.decode(row)) for row in genome.rows_at(0, genome.size)]
    keys = [each.key for each in prints]
    assert keys.count(fingerprint(load_space("activation").individual("swish")).key) == 1
    assert keys.count(fingerprint(load_space("activation").individual("silu")).key) == 3
    degenerate = sum(bool(each.degenerate) for each in prints) / len(prints)
    assert 0.09 < degenerate < 0.19 and len(set(keys)) < 0.7 * len(keys)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("beta", "constant"),
        ("x - x", "constant"),
        ("sqrt(x)", "non-finite"),
        ("exp(exp(x))", "explosive"),
        ("x", "identity"),
        ("max(x, -x)", ""),
    ],
)
def test_degenerate_activations_are_named(text: str, why: str) -> None:
    assert fingerprint(parse(text, ACTIVATION)).degenerate == why


@pytest.mark.parametrize(
    ("text", "why"), [("1 + 2", "constant"), ("w1", "no gradient"), ("power(g, g)", "non-finite"), ("adam", "")]
)
def test_degenerate_update_rules_are_named(text: str, why: str) -> None:
    assert fingerprint(parse(text, OPTIMIZER)).degenerate == why


def test_equal_functions_have_equal_fingerprints() -> None:
    def key(text: str) -> str:
        return fingerprint(parse(text, ACTIVATION)).key

    assert key("mix(x, x)") == key("x")
    assert key("exp(x) * exp(-x)") == key("cosh(x - x)")
    assert key("tanh(x)") != key("erf(x)") and key("beta * x") != key("x")


def _weights_by_hand(name: str, start: np.ndarray, rate: float, steps: int) -> np.ndarray:
    w, m, v = start.copy(), np.zeros_like(start), np.zeros_like(start)
    way = [w]
    for t in range(1, steps + 1):
        g = _gradient(w)
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        share = (t - 1) / steps
        agreement = np.sign(g) * np.sign(m)
        cosine, restart = (0.5 * (1 + math.cos(math.pi * part)) for part in (share, (20 * share) % 1))
        rules: dict[str, Callable[[], np.ndarray]] = {
            "sgd": lambda g=g: g,
            "momentum": lambda m_hat=m_hat: m_hat,
            "rmsprop": lambda g=g, v_hat=v_hat: g / (np.sqrt(v_hat) + EPSILON),
            "adam": lambda m_hat=m_hat, v_hat=v_hat: m_hat / (np.sqrt(v_hat) + EPSILON),
            "lion-equal-betas": lambda m=m: np.sign(m),
            "powersign": lambda g=g, s=agreement: np.exp(s) * g,
            "addsign": lambda g=g, s=agreement: (1 + s) * g,
            "powersign-ld": lambda g=g, s=agreement, d=1 - share: np.exp(d * s) * g,
            "powersign-cd": lambda g=g, s=agreement, d=cosine: np.exp(d * s) * g,
            "powersign-rd": lambda g=g, s=agreement, d=restart: np.exp(d * s) * g,
        }
        w = w - rate * rules[name]()
        way.append(w)
    return np.stack(way)


def _gradient(w: np.ndarray) -> np.ndarray:
    return np.linspace(0.3, 3, w.size) * w + 0.2 * np.sin(5 * w)


@pytest.mark.parametrize(
    ("space", "name"),
    [
        *[("optimizer_rule", name) for name in ("sgd", "momentum", "rmsprop", "adam", "lion-equal-betas")],
        ("optimizer_rule_2", "powersign"),
        ("optimizer_rule_3", "addsign"),
        *[("optimizer_rule_3_decays", f"powersign-{decay}") for decay in ("ld", "cd", "rd")],
    ],
)
def test_update_rules_are_their_references_for_100_steps(space: str, name: str) -> None:
    start = np.random.default_rng(2).normal(size=12)
    found = run_rule(load_space(space).individual(name), _gradient, start, 0.02, 100)
    np.testing.assert_allclose(found, _weights_by_hand(name, start, 0.02, 100), rtol=1e-7, atol=1e-9)


def test_decays_start_at_one_and_end_at_zero() -> None:
    assert decays(0, 100) == {"ld": 1.0, "cd": 1.0, "rd": 1.0}
    assert decays(100, 100)["ld"] == 0 and abs(decays(100, 100)["cd"]) < 1e-12 and decays(5, 100)["rd"] == 1


@pytest.mark.parametrize("name", ["backprop_rule", "backprop_rule_2"])
def test_random_rules_mutants_and_children_are_legal(name: str) -> None:
    genome, rng = load_space(name).genome, np.random.default_rng(4)
    rows = genome.random(150, rng)
    for row in [*rows, *genome.mutate(rows, rng), *genome.crossover(rows, rows[::-1].copy(), rng)]:
        program = genome.decode(row)
        assert program_shape(program) == ("batch", "units")
        assert np.shape(evaluate(program, probe_operands(0))) == (31, 5)


def test_illegal_rules_have_no_shape() -> None:
    with pytest.raises(ValueError, match=r"matmul cannot be applied to \(batch, next\) and \(units, next\)"):
        program_shape(Program(units=[unit("identity", "b_next", "identity", "w", "matmul")], vocabulary="backprop"))


def test_feedback_alignment_is_its_reference() -> None:
    rng = np.random.default_rng(8)
    sizes = (5, 8, 6, 3)
    weights = [rng.normal(size=pair) for pair in zip(sizes[:-1], sizes[1:], strict=True)]
    feedback = [rng.normal(size=each.shape) for each in weights]
    direct = [rng.normal(size=(size, 3)) for size in sizes[1:-1]]
    x, targets = rng.normal(size=(4, 5)), rng.normal(size=(4, 3))
    h1 = np.tanh(x @ weights[0])
    h2 = np.tanh(h1 @ weights[1])
    last = h2 @ weights[2] - targets
    references = {
        "feedback-alignment": (second := last @ feedback[2].T * (1 - h2**2), second @ feedback[1].T * (1 - h1**2)),
        "direct-feedback-alignment": (last @ direct[1].T * (1 - h2**2), last @ direct[0].T * (1 - h1**2)),
    }
    for name, (of_second, of_first) in references.items():
        for space, known in (("backprop_rule", name), ("backprop_rule_2", f"{name}-from-weights")):
            program = load_space(space).individual(known)
            errors = layer_errors(program, weights, x, lambda y: y - targets, feedback, direct)
            for found, wanted in zip(errors, (of_first, of_second, last), strict=True):
                np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


def test_probes_are_wide_and_irregular() -> None:
    x = activation_probes()
    assert x.shape == (96,) and len(np.unique(x)) == 96 and np.abs(x).min() > 0 and np.abs(x).max() > 50


def test_update_rules_that_the_paper_reports_can_be_written() -> None:
    """Table 1 of Bello et al. 2017, formulae recalled."""
    power = "exp(sign_g * sign_m)"
    texts = [
        f"({power} + clip_1e4(g)) * g",
        "clip_1e4(m) * exp(v)",
        "m * exp(v)",
        f"g * {power}",
        f"drop_3(g) * {power}",
        "m * exp(g2)",
        "drop_1(m) / exp(g2)",
        f"drop_1(g) * {power}",
        "clip_1e5(rmsprop) + drop_3(m)",
        f"adam * {power}",
        "adam * exp(m)",
        "g + drop_3(m)",
        "drop_1(m) * exp(g3)",
        "g - clip_1e4(g2)",
        "exp(g) - exp(m)",
        "drop_3(m) * exp(w3)",
    ]
    programs = [parse(text, OPTIMIZER) for text in texts]
    assert [to_text(program) for program in programs] == texts
    assert all(len(program.units) <= 3 and not fingerprint(program).degenerate for program in programs)
    assert len({fingerprint(program).key for program in programs}) == len(texts)


def test_functions_of_equal_fingerprints_agree_on_dense_probes() -> None:
    """At inputs and values of beta between and beyond the probes, but for one pair in fifty."""
    genome = load_space("activation_2").genome
    x = np.concatenate([np.linspace(-4, 4, 1001), np.linspace(-200, 200, 501)])[None, :] + 1e-4
    betas = np.array([-2.0, -0.1, 0.9, 2.2, 5.0])[:, None]
    first: dict[str, Program] = {}
    pairs = []
    for row in genome.random(3000, np.random.default_rng(5)):
        program = genome.decode(row)
        found = fingerprint(program)
        if not found.degenerate and first.setdefault(found.key, program) is not program:
            pairs.append((first[found.key], program))
    different = 0
    for pair in pairs:
        a, b = (np.stack(derivatives(program, x, betas)) for program in pair)
        a, b = (np.where(np.isfinite(values), values, 0) for values in (a, b))
        different += not np.allclose(a, b, rtol=1e-5, atol=1e-8)
    assert len(pairs) > 100 and different <= len(pairs) / 50
