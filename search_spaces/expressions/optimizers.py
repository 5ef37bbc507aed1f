"""Update rules as programs over gradients and moving averages, after Bello et al. 2017 (Neural Optimizer Search)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoglyph.search_spaces.expressions.evaluate import evaluate
from autoglyph.search_spaces.expressions.numerics import EPSILON, Context, NumpyBackend
from autoglyph.search_spaces.expressions.program import Program

DECAY_M, DECAY_V = 0.9, 0.999
DECAY_SLOW = 0.99
"""Of the average that Lion keeps (Chen et al. 2023)."""
NOISE_STD = 0.1
"""Standard deviation of the operand "noise", N(0, 0.01)."""
_COSINE_PERIODS, _RESTART_PERIODS = 0.5, 20


@dataclass
class Moments:
    """Moving averages of one weight array, all 0 at the start.

    Attributes:
        m: of g.
        v: of g^2.
        gamma: of g^3.
        velocity: sum of g, of which 0.9 is kept at every step.
        mean_square: of g^2, with the decay of m.
        slow: of g, with decay 0.99.
        blend: 0.9 times `slow` as it was before this gradient, plus 0.1 g.
        step: updates so far.
    """

    m: Any = 0.0
    v: Any = 0.0
    gamma: Any = 0.0
    velocity: Any = 0.0
    mean_square: Any = 0.0
    slow: Any = 0.0
    blend: Any = 0.0
    step: int = 0

    def after(self, g: Any) -> Moments:
        """The averages with one more gradient."""
        square = g * g
        return Moments(
            DECAY_M * self.m + (1 - DECAY_M) * g,
            DECAY_V * self.v + (1 - DECAY_V) * square,
            DECAY_V * self.gamma + (1 - DECAY_V) * (square * g),
            DECAY_M * self.velocity + g,
            DECAY_M * self.mean_square + (1 - DECAY_M) * square,
            DECAY_SLOW * self.slow + (1 - DECAY_SLOW) * g,
            DECAY_M * self.slow + (1 - DECAY_M) * g,
            self.step + 1,
        )


STATES = ("m", "v", "gamma", "velocity", "mean_square", "slow")
"""The averages that go from one update to the next."""


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
    return operands_at(g, w, moments, noise, step_numbers(moments.step - 1, steps), backend=backend)


def operands_at(
    g: Any, w: Any, moments: Moments, noise: Any, numbers: Mapping[str, Any], *, backend: Any = NumpyBackend
) -> dict[str, Any]:
    """All operands of one update, by name, where the numbers of the step are known.

    Args:
        g: gradient.
        w: weights, of its shape.
        moments: averages that this gradient is part of; their step is not read.
        noise: normal numbers of standard deviation `NOISE_STD`, of the shape of g.
        numbers: see `step_numbers`.
        backend: elementary functions of the library of the arrays.
    """
    m, v = moments.m / numbers["m_reached"], moments.v / numbers["v_reached"]
    scale = backend.sqrt(v) + EPSILON
    ones = backend.ones_like(g)
    found = {
        "g": g,
        "g2": g * g,
        "g3": g * g * g,
        "m": m,
        "v": v,
        "gamma": moments.gamma / numbers["v_reached"],
        "sign_g": backend.sign(g),
        "sign_m": backend.sign(m),
        "one": ones,
        "two": 2.0 * ones,
        "noise": noise,
        "adam": m / scale,
        "rmsprop": g / scale,
        "velocity": moments.velocity,
        "mean_square": moments.mean_square,
        "blend": moments.blend,
    }
    found |= {f"w{power}": 10.0**-power * w for power in (1, 2, 3, 4)}
    return found | {name: numbers[name] * ones for name in ("ld", "cd", "rd")}


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
