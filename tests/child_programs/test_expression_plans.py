"""Programs as lists of NumPy calls: what is computed, how often, and that it is what the tables say."""

from __future__ import annotations

import numpy as np
import pytest

from autoglyph.child_programs.expressions.numpy_update import NumpyUpdate
from autoglyph.child_programs.expressions.setup import Layout, Setup, parts_of
from autoglyph.child_programs.expressions.tracing import Plan, Trace, needed
from autoglyph.search_spaces.expressions import optimizers
from autoglyph.search_spaces.expressions.backprop_rules import probe_operands
from autoglyph.search_spaces.expressions.evaluate import derivatives, evaluate, forward_dual, operands_read, reads_beta
from autoglyph.search_spaces.expressions.optimizers import AVERAGES, averages_read
from autoglyph.search_spaces.expressions.parser import parse
from autoglyph.search_spaces.expressions.program import Program, unit
from autoglyph.search_spaces.expressions.text import to_text
from autoglyph.search_spaces.expressions.vocabulary import ACTIVATION, OPTIMIZER, OPTIMIZER_DECAYS, OPTIMIZER_EXTENDED
from autoglyph.search_spaces.space import load_space


def random_programs(space: str, count: int) -> list[Program]:
    genome = load_space(space).genome
    return [genome.decode(row) for row in genome.random(count, np.random.default_rng(3))]


def dual_plan(program: Program, x: np.ndarray, beta: np.ndarray) -> Plan:
    trace = Trace()
    parts = forward_dual(program, trace.input("x"), trace.input("beta"), backend=trace)
    names = ("y", "dx", "db")
    outputs = {n: trace.symbol(0.0 if part is None else part) for n, part in zip(names, parts, strict=True)}
    return Plan(outputs, {"x": x, "beta": beta})


def test_plans_give_values_and_derivatives_again_when_their_inputs_change() -> None:
    """But for the few programs that amplify the rounding of single precision without bound."""
    x, beta = np.zeros((3, 40), np.float32), np.zeros((3, 1), np.float32)
    rng = np.random.default_rng(4)
    programs = random_programs("activation_3", 300)
    amplifying = 0
    for program in programs:
        x[:], beta[:] = rng.normal(size=x.shape), rng.normal(size=beta.shape)
        plan = dual_plan(program, x, beta)
        x[:], beta[:] = rng.normal(size=x.shape), rng.normal(size=beta.shape)
        wanted = derivatives(program, x, beta)
        with np.errstate(all="ignore"):
            plan.run()
        is_close = True
        for name, values in zip(("y", "dx", "db"), wanted, strict=True):
            found = np.broadcast_to(plan.results[name], x.shape)
            assert found.dtype == np.float32
            is_close &= np.allclose(found, values, rtol=1e-3, atol=1e-3, equal_nan=True)
        amplifying += not is_close
    assert amplifying < len(programs) / 20


@pytest.mark.parametrize("names", [["a", "b", "c"], ["c", "b", "a"], ["b", "a", "c"]])
def test_outputs_that_replace_inputs_are_made_of_what_the_inputs_were(names: list[str]) -> None:
    trace = Trace()
    a, b, c = (trace.input(name) for name in "abc")
    made = {"a": a + b, "b": trace.transpose(a) * 2.0, "c": trace.where(c > 0.0, a + b, c)}
    arrays = {name: np.random.default_rng(i).normal(size=(4, 4)).astype(np.float32) for i, name in enumerate("abc")}
    plan = Plan({name: made[name] for name in names}, arrays, in_place=names)
    for _ in range(3):
        x, y, z = (arrays[name].copy() for name in "abc")
        plan.run()
        for name, wanted in {"a": x + y, "b": x.T * np.float32(2), "c": np.where(z > 0, x + y, z)}.items():
            np.testing.assert_array_equal(arrays[name], wanted, name)


def test_choosing_and_dropping_by_bits_keep_every_number_as_it_is() -> None:
    odd = np.array([np.nan, np.inf, -np.inf, -0.0, 1e-45, 3.5, -2.0, 0.0], np.float32)
    a, b, condition = odd.copy(), odd[::-1].copy(), np.arange(8) % 3 == 0
    masks = np.where(condition, np.uint32(0xFFFFFFFF), np.uint32(0))
    trace = Trace()
    inputs = {name: trace.input(name) for name in ("a", "b", "condition", "masks")}
    outputs = {
        "both": trace.where(inputs["condition"], inputs["a"], inputs["b"]),
        "number": trace.where(inputs["condition"], inputs["a"], 7.0),
        "dropped": trace.call("drop0.5", inputs["a"], inputs["masks"], inputs["b"]),
        "spread": trace.call("drop0.5", 3.0, inputs["masks"], inputs["b"]),
    }
    plan = Plan(outputs, {"a": a, "b": b, "condition": condition, "masks": masks})
    for _ in range(2):
        with np.errstate(all="ignore"):
            plan.run()
            wanted = {
                "both": np.where(condition, a, b),
                "number": np.where(condition, a, np.float32(7)),
                "dropped": np.where(condition, a / np.float32(0.5), np.float32(0)),
                "spread": np.where(condition, np.float32(6), np.float32(0)),
            }
        for name, value in wanted.items():
            assert plan.results[name].view(np.uint32).tolist() == value.view(np.uint32).tolist(), name
        a[:], b[:], condition[:] = b.copy(), a.copy(), ~condition
        masks[:] = ~masks


def test_propagation_rules_are_what_the_tables_say() -> None:
    terms = {name: value.astype(np.float32) for name, value in probe_operands(0).items()}
    for program in random_programs("backprop_rule_2", 300):
        trace = Trace()
        symbols = {name: trace.input(name) for name in terms}
        plan = Plan({"error": trace.symbol(evaluate(program, symbols, backend=trace))}, terms)
        np.testing.assert_allclose(plan.results["error"], evaluate(program, terms), rtol=1e-4, atol=1e-5)


def test_equal_calls_are_made_once_and_unread_ones_not_at_all() -> None:
    def calls(program: Program) -> list[str]:
        trace = Trace()
        y, _, _ = forward_dual(program, trace.input("x"), trace.input("beta"), backend=trace)
        return [symbol.call for symbol in needed([y]) if symbol.call not in ("input", "constant")]

    tanh_squared = Program(units=[unit("tanh", "x", "tanh", "x", "multiply")], vocabulary="activation")
    assert calls(tanh_squared) == ["tanh", "multiply"]
    unread = Program(
        units=[unit("exp", "x", "sin", "x", "add"), unit("cos", "x", "identity", "u1", "left")],
        vocabulary="activation",
    )
    assert calls(unread) == ["cos"]
    assert calls(parse("gate(x, x) + sigmoid(x)", ACTIVATION)).count("exp") == 1
    assert calls(parse("beta", ACTIVATION)) == []


def test_an_update_keeps_only_the_averages_that_its_rule_reads() -> None:
    known = {
        "g": [],
        "adam": ["m", "v"],
        "rmsprop * sign_m": ["m", "v"],
        "gamma": ["gamma"],
        "sign(blend)": ["slow"],
        "velocity / sqrt_abs(mean_square)": ["velocity", "mean_square"],
    }
    for text, averages in known.items():
        assert averages_read(parse(text, OPTIMIZER_EXTENDED)) == averages
    assert operands_read(parse("g + drop_3(m)", OPTIMIZER)) == ["g", "m"]
    assert set(known["adam"]) < set(AVERAGES)


def test_betas_are_read_where_a_derivative_says_so() -> None:
    assert reads_beta(load_space("activation").individual("swish"))
    assert not reads_beta(load_space("activation").individual("silu"))
    assert reads_beta(parse("mix(x, sin(x))", ACTIVATION))


def small_setup(size: int, steps: int) -> Setup:
    """A setup of which an update of `size` weights reads steps and random numbers."""
    rng = np.random.default_rng(1)
    layout = Layout(inputs=size, hidden=1, classes=2, has_beta=False)
    return Setup(
        layout=layout,
        start=rng.normal(size=size).astype(np.float32),
        seed=0,
        order=np.zeros((steps, 1), np.int32),
        windows=rng.integers(0, 1000, steps).astype(np.int32),
        x_train=np.zeros((1, size), np.float32),
        y_train=np.zeros(1, np.int32),
        x_valid=np.zeros((1, size), np.float32),
        y_valid=np.zeros(1, np.int32),
    )


def gradient(w: np.ndarray) -> np.ndarray:
    return np.linspace(0.3, 3, w.size) * w + 0.2 * np.sin(5 * w)


def way_of_plan(rule: Program, start: np.ndarray, rate: float, steps: int) -> np.ndarray:
    flat, g = start.astype(np.float32), np.zeros(start.size, np.float32)
    update = NumpyUpdate(rule, flat, g, small_setup(start.size, steps), rate)
    way = [flat.copy()]
    for step in range(steps):
        g[:] = gradient(flat)
        update.apply(step)
        way.append(flat.copy())
    return np.stack(way)


@pytest.mark.parametrize("decay", ["ld", "cd", "rd"])
@pytest.mark.parametrize("kind", ["powersign", "addsign"])
def test_powersign_and_addsign_with_decays_are_numpy_s(kind: str, decay: str) -> None:
    sign = "(sign_g * sign_m)"
    text = f"exp({decay} * {sign}) * g" if kind == "powersign" else f"(1 + {decay} * {sign}) * g"
    rule = parse(text, OPTIMIZER_DECAYS)
    steps, rate = 100, 0.02
    w = np.random.default_rng(2).normal(size=12)
    found = way_of_plan(rule, w, rate, steps)
    double = optimizers.run_rule(rule, gradient, w, rate, steps)
    m, way = np.zeros(12), [w]
    for t in range(steps):
        g = gradient(w)
        m = 0.9 * m + 0.1 * g
        share = {"ld": 1 - t / steps, "cd": t / steps, "rd": (20 * t / steps) % 1}[decay]
        f = share if decay == "ld" else 0.5 * (1 + np.cos(np.pi * share))
        agreement = f * np.sign(g) * np.sign(m)
        w = w - rate * (np.exp(agreement) if kind == "powersign" else 1 + agreement) * g
        way.append(w)
    np.testing.assert_allclose(double, way, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found, way, atol=1e-5)


def test_the_parts_of_a_candidate_are_told_by_its_vocabulary() -> None:
    activation = parts_of(load_space("activation").individual("swish"))
    assert activation.has_beta and activation.is_plain_update and activation.errors is None
    update = parts_of(load_space("optimizer_rule").individual("adam"))
    assert not update.has_beta and not update.is_plain_update and to_text(update.activation) == "relu(x)"
    rule = load_space("backprop_rule").individual("backprop")
    assert parts_of(rule).errors == rule and to_text(parts_of(rule).activation) == "tanh(x)"
