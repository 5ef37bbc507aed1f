"""An update rule in NumPy: one plan of array calls for all weights, which keeps only the averages it reads."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.child_programs.expressions.setup import Floats, Setup, mask_pool, normal_pool
from autoglyph.child_programs.expressions.tracing import Plan, Symbol, Trace, needed
from autoglyph.search_spaces.expressions.evaluate import evaluate, operands_read
from autoglyph.search_spaces.expressions.numerics import Context
from autoglyph.search_spaces.expressions.optimizers import AVERAGES, averages_read, operand_makers, step_numbers
from autoglyph.search_spaces.expressions.program import Program
from autoglyph.search_spaces.expressions.unary_operations import DROP_RATES


@functools.lru_cache(maxsize=8)
def number_table(steps: int) -> dict[str, Floats]:
    """(steps,) values of each of the numbers that an update reads, see `step_numbers`."""
    rows = [step_numbers(step, steps) for step in range(steps)]
    return {name: np.array([row[name] for row in rows], np.float32) for name in rows[0]}


class NumpyUpdate:
    """Changes weights in place by a rule.

    Args:
        rule: over a vocabulary of update rules.
        flat: (n,) weights.
        gradient: (n,) gradients, read at every update.
        setup: gives steps and random numbers.
        learning_rate: factor of the updates.
    """

    def __init__(self, rule: Program, flat: Floats, gradient: Floats, setup: Setup, learning_rate: float) -> None:
        trace = Trace()
        g, w = trace.input("g"), trace.input("w")
        self._numbers = number_table(setup.steps)
        numbers = {name: trace.input(name) for name in self._numbers}
        before = {name: trace.input(name) for name in AVERAGES}
        makers = operand_makers(g, w, before, lambda: trace.input("noise"), numbers, backend=trace)
        terms = {name: makers[name]() for name in operands_read(rule)}

        def drop(x: Any, rate: float) -> Symbol:
            return trace.call(f"drop{rate}", x, trace.input(f"masks{rate}"), g)

        change = trace.symbol(evaluate(rule, terms, Context(drop=drop), backend=trace))
        outputs: dict[str, Symbol] = {"w": w - learning_rate * change}
        outputs |= {name: AVERAGES[name](before[name], g) for name in averages_read(rule)}
        inputs = {symbol.arguments[0] for symbol in needed(outputs.values()) if symbol.call == "input"}
        pools: dict[str, NDArray[Any]] = {"noise": normal_pool()} if "noise" in inputs else {}
        pools |= {name: mask_pool(rate) for rate in DROP_RATES if (name := f"masks{rate}") in inputs}
        self._arrays: dict[str, NDArray[Any]] = {
            name: np.zeros_like(pools.get(name, flat), shape=flat.shape) for name in inputs - set(numbers)
        }
        self._arrays |= {name: np.ones((), np.float32) for name in numbers} | {"w": flat, "g": gradient}
        self._windows, self._pools = setup.windows, list(pools.items())
        self._numbers_read = [name for name in self._numbers if name in inputs]
        self._plan = Plan(outputs, self._arrays, in_place=list(outputs))

    def apply(self, step: int) -> None:
        """One update, with the numbers of a step counted from 0."""
        for name in self._numbers_read:
            self._arrays[name][...] = self._numbers[name][step]
        for name, pool in self._pools:
            array, at = self._arrays[name], self._windows[step]
            np.copyto(array, pool[at : at + len(array)])
        self._plan.run()
