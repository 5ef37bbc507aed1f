"""Update rules as programs over gradients and moving averages, after Bello et al. 2017 (Neural Optimizer Search)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autoglyph.search_spaces.expressions.evaluate import evaluate, operands_read
from autoglyph.search_spaces.expressions.numerics import EPSILON, Context, NumpyBackend
from autoglyph.search_spaces.expressions.program import Program

DECAY_M, DECAY_V = 0.9, 0.999
DECAY_SLOW = 0.99
"""Of the average that Lion keeps (Chen et al. 2023)."""
NOISE_STD = 0.1
"""Standard deviation of the operand "noise", N(0, 0.01)."""
_COSINE_PERIODS, _RESTART_PERIODS = 0.5, 20


AVERAGES: Mapping[str, Callable[[Any, Any], Any]] = {
    "m": lambda m, g: DECAY_M * m + (1 - DECAY_M) * g,
    "v": lambda v, g: DECAY_V * v + (1 - DECAY_V) * (g * g),
    "gamma": lambda gamma, g: DECAY_V * gamma + (1 - DECAY_V) * (g * g * g),
    "velocity": lambda velocity, g: DECAY_M * velocity + g,
    "mean_square": lambda square, g: DECAY_M * square + (1 - DECAY_M) * (g * g),
    "slow": lambda slow, g: DECAY_SLOW * slow + (1 - DECAY_SLOW) * g,
}
"""What goes from one update to the next, by name: (what it was, gradient) -> what it is; all are 0 at the start."""


@dataclass
class Moments:
    """Averages of the gradients of one weight array, all 0 at the start.

    Attributes:
        before: `AVERAGES` before the last gradient.
        after_it: with it.
        step: updates so far.
    """

    before: Mapping[str, Any] = field(default_factory=lambda: dict.fromkeys(AVERAGES, 0.0))
    after_it: Mapping[str, Any] = field(default_factory=lambda: dict.fromkeys(AVERAGES, 0.0))
    step: int = 0

    def after(self, g: Any) -> Moments:
        """The averages with one more gradient."""
        found = {name: average(self.after_it[name], g) for name, average in AVERAGES.items()}
        return Moments(self.after_it, found, self.step + 1)


def decays(step: int, steps: int) -> dict[str, float]:
    """Values of the operands "ld", "cd" and "rd".

    Linear max(0, 1 - t/T), cosine (1 + cos(2 pi n t/T))/2 with n = 0.5 and restart (1 + cos(pi (n t mod T)/T))/2,
    the functions of tf.contrib.opt; n = 20 restarts are a choice of this project.

    Args:
        step: t, 0 at the first update.
        steps: T, of the whole training.
    """
    share = step / steps
    restart = (_RESTART_PERIODS * step % steps) / steps
    return {
        "ld": max(0.0, 1 - share),
        "cd": 0.5 * (1 + math.cos(2 * math.pi * _COSINE_PERIODS * share)),
        "rd": 0.5 * (1 + math.cos(math.pi * restart)),
    }


def step_numbers(step: int, steps: int) -> dict[str, float]:
    """What an update depends on beside arrays: decays, and what averages from 0 have reached of their full size.

    Args:
        step: 0 at the first update.
        steps: of the whole training.
    """
    reached = {"m_reached": 1 - DECAY_M ** (step + 1), "v_reached": 1 - DECAY_V ** (step + 1)}
    return reached | decays(step, steps)


def operands(
    g: Any, w: Any, moments: Moments, noise: Any, steps: int, *, backend: Any = NumpyBackend
) -> dict[str, Any]:
    """All operands of one update, by name.

    Args:
        g: gradient.
        w: weights, of its shape.
        moments: averages that this gradient is part of.
        noise: normal numbers of standard deviation `NOISE_STD`, of the shape of g.
        steps: updates of the whole training, which decays count.
        backend: elementary functions of the library of the arrays.
    """
    numbers = step_numbers(moments.step - 1, steps)
    makers = operand_makers(g, w, moments.before, lambda: noise, numbers, backend=backend)
    return {name: make() for name, make in makers.items()}


def operand_makers(
    g: Any,
    w: Any,
    before: Mapping[str, Any],
    noise: Callable[[], Any],
    numbers: Mapping[str, Any],
    *,
    backend: Any = NumpyBackend,
) -> dict[str, Callable[[], Any]]:
    """What makes each operand of one update, by name, so that only those are made that a program reads.

    Args:
        g: gradient.
        w: weights, of its shape.
        before: `AVERAGES` before this gradient; those that no operand asked for reads may be missing.
        noise: gives normal numbers of standard deviation `NOISE_STD`, of the shape of g.
        numbers: see `step_numbers`.
        backend: elementary functions of the library of the arrays.
    """

    def average(name: str) -> Any:
        return AVERAGES[name](before[name], g)

    def m() -> Any:
        return average("m") / numbers["m_reached"]

    def v() -> Any:
        return average("v") / numbers["v_reached"]

    def scaled(update: Any) -> Any:
        return update / (backend.sqrt(v()) + EPSILON)

    def times_ones(number: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: number() * backend.ones_like(g)

    def decayed(power: int) -> Callable[[], Any]:
        return lambda: 10.0**-power * w

    return {
        "g": lambda: g,
        "g2": lambda: g * g,
        "g3": lambda: g * g * g,
        "m": m,
        "v": v,
        "gamma": lambda: average("gamma") / numbers["v_reached"],
        "sign_g": lambda: backend.sign(g),
        "sign_m": lambda: backend.sign(m()),
        "one": times_ones(lambda: 1.0),
        "two": times_ones(lambda: 2.0),
        "noise": noise,
        "w4": decayed(4),
        "w3": decayed(3),
        "w2": decayed(2),
        "w1": decayed(1),
        "adam": lambda: scaled(m()),
        "rmsprop": lambda: scaled(g),
        "ld": times_ones(lambda: numbers["ld"]),
        "cd": times_ones(lambda: numbers["cd"]),
        "rd": times_ones(lambda: numbers["rd"]),
        "velocity": lambda: average("velocity"),
        "mean_square": lambda: average("mean_square"),
        "blend": lambda: DECAY_M * before["slow"] + (1 - DECAY_M) * g,
    }


def averages_read(program: Program) -> list[str]:
    """Names of the `AVERAGES` that a rule depends on."""
    found: set[str] = set()

    class Noted(dict[str, float]):
        def __missing__(self, name: str) -> float:
            found.add(name)
            return 0.0

    makers = operand_makers(0.0, 0.0, Noted(), lambda: 0.0, step_numbers(0, 1))
    for name in operands_read(program):
        makers[name]()
    return [name for name in AVERAGES if name in found]


def run_rule(program: Program, gradient: Any, start: Any, learning_rate: float, steps: int, seed: int = 0) -> Any:
    """(steps + 1, *shape) weights on the way of a rule in NumPy.

    Args:
        program: over the vocabulary "optimizer", "optimizer_decays" or "optimizer_extended".
        gradient: weights -> gradient.
        start: weights at the start.
        learning_rate: factor of the updates.
        steps: updates.
        seed: of noise and dropping.
    """
    rng = np.random.default_rng(seed)

    def drop(x: Any, rate: float) -> Any:
        return np.where(rng.random(np.shape(x)) < rate, 0, x / (1 - rate))

    w, moments, way = np.array(start), Moments(), [np.array(start)]
    for _ in range(steps):
        g = gradient(w)
        moments = moments.after(g)
        noise = rng.normal(0, NOISE_STD, np.shape(g)).astype(w.dtype)
        w = w - learning_rate * evaluate(program, operands(g, w, moments, noise, steps), Context(drop=drop))
        way.append(w)
    return np.stack(way)
