"""What a program computes on fixed probes, as a hash: equivalent and degenerate candidates show before training."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.search_spaces.expressions.evaluate import derivatives, evaluate
from autoglyph.search_spaces.expressions.numerics import Context
from autoglyph.search_spaces.expressions.program import Program

Array = NDArray[np.float64]

BETAS = (-2.7, -0.6, 0.3, 1.0, 1.7, 4.6)
"""Values of beta that activation functions are probed at; a function is judged degenerate or not at 1."""
DIGITS = 6
_TINY = 1e-9
_ORDINARY = 4.0
_LARGEST = 1e3
_FLAT = 1e-3
_WEIGHTS = 64


@dataclass(frozen=True)
class Fingerprint:
    """What is known of a program without training it.

    Attributes:
        key: equal for programs that agree on all probes to about `DIGITS` digits.
        degenerate: why it is not worth training, or "" where it may be: "non-finite", "constant", "explosive"
            (above 1,000 for inputs within 4), "identity", or "no gradient" (a rule that does not read the gradient).
    """

    key: str
    degenerate: str


def fingerprint(program: Program) -> Fingerprint:
    """The fingerprint of a program of any vocabulary.

    Activation functions are probed with 96 inputs from -250 to 250, six values of beta and their derivatives; update
    rules with all operands of the tenth step of 64 weights whose gradients have scales from 0.0001 to 1, and of the
    third step of 64 weights whose gradients fade from 100 to 0.0000001 or cancel each other; back-propagation rules
    with the matrices of a small network under errors of two scales, for many examples and for few. Dropping uses
    fixed masks.
    """
    if program.vocabulary == "activation":
        return _of_activation(program)
    if program.vocabulary == "backprop":
        return _of_backprop(program)
    return _of_update_rule(program)


def digest(values: Array) -> str:
    """Hash of numbers to `DIGITS` significant digits; all NaN are equal, and what is below 1e-9 is 0."""
    with np.errstate(all="ignore"):
        size = np.floor(np.log10(np.abs(values)))
        scale = 10.0 ** (DIGITS - 1 - size)
        rounded = np.round(values * scale)
    is_next_power = np.abs(rounded) == 10.0**DIGITS  # as of 0.9999999, which is 1.00000
    rounded, size = np.where(is_next_power, rounded / 10, rounded), np.where(is_next_power, size + 1, size)
    usable = np.isfinite(values) & (np.abs(values) > _TINY)
    codes = np.where(usable, rounded * 1000 + np.where(usable, size, 0), 0.0)
    codes = np.where(np.isfinite(values), codes, np.where(np.isnan(values), 1.0, np.sign(values) * 2.0))
    return hashlib.sha256(np.ascontiguousarray(codes + 0.0).tobytes()).hexdigest()[:32]


@functools.cache
def activation_probes() -> Array:
    """(96,) inputs, two thirds of them within 4, all irregular and none 0."""
    rng = np.random.default_rng(20171)
    near = np.linspace(-_ORDINARY, _ORDINARY, 64) + rng.uniform(-0.05, 0.05, 64)
    far = np.concatenate([np.geomspace(4.2, 250, 16), -np.geomspace(4.3, 245, 16)])
    return np.concatenate([near, far * rng.uniform(0.98, 1.02, 32)])


def _of_activation(program: Program) -> Fingerprint:
    x = activation_probes()[None, :]
    parts = np.stack(derivatives(program, x, np.array(BETAS)[:, None]))
    at_one = parts[:2, BETAS.index(1.0), :64]
    y, slope = at_one
    if not np.isfinite(at_one).all():
        degenerate = "non-finite"
    elif np.abs(y).max() > _LARGEST:
        degenerate = "explosive"
    elif y.std() < _FLAT:
        degenerate = "constant"
    elif np.allclose(y, x[0, :64], rtol=1e-6):
        degenerate = "identity"
    else:
        degenerate = ""
    return Fingerprint(digest(parts), degenerate)


def _fixed_drop(x: Any, rate: float) -> Any:
    """The same mask for every array of a shape and rate."""
    seed = [*np.shape(x), round(rate * 10)]
    kept = np.random.default_rng(seed).random(np.shape(x)) >= rate
    return np.where(kept, x / (1 - rate), 0)


@functools.cache
def _update_probes(flip: bool) -> Mapping[str, Array]:
    """Operands of updates of 64 ordinary and 64 other weights; with the gradients of other weights where flipped."""
    from autoglyph.search_spaces.expressions.optimizers import DECAY_M

    rng = np.random.default_rng(20172)
    even = np.ones(_WEIGHTS)
    ordinary = _operands_of(rng.normal(size=(10, _WEIGHTS)) * np.geomspace(1e-4, 1, _WEIGHTS), even, even, 17, flip)
    scales = rng.permutation(np.geomspace(1e-3, 100, _WEIGHTS)) * np.geomspace(1, 1e-4, 3)[:, None]
    gradients = rng.normal(size=(3, _WEIGHTS)) * scales
    nearly = 1 + rng.permutation(np.geomspace(1e-6, 1, _WEIGHTS))
    cancelling = -(DECAY_M**2 * gradients[0] + DECAY_M * gradients[1]) * nearly
    gradients[2, ::3] = cancelling[::3]
    w_scale, noise_scale = (rng.permutation(np.geomspace(least, 1, _WEIGHTS)) for least in (1e-5, 1e-3))
    fading = _operands_of(gradients, w_scale, noise_scale, 40, flip)
    return {
        name: np.concatenate([np.broadcast_to(each[name], _WEIGHTS) for each in (ordinary, fading)]) for name in fading
    }


def _operands_of(gradients: Array, w_scale: Array, noise_scale: Array, steps: int, flip: bool) -> dict[str, Any]:
    """Operands of the last of some updates, with the gradients of other weights where flipped."""
    from autoglyph.search_spaces.expressions.optimizers import NOISE_STD, Moments, operands

    rng = np.random.default_rng([20172, steps])
    w, noise = w_scale * rng.normal(size=_WEIGHTS), noise_scale * rng.normal(0, NOISE_STD, _WEIGHTS)
    order = rng.permutation(_WEIGHTS) if flip else np.arange(_WEIGHTS)
    moments = Moments()
    for g in gradients[:, order]:
        moments = moments.after(g)
    return operands(gradients[-1, order], w, moments, noise, steps)


def _of_update_rule(program: Program) -> Fingerprint:
    context = Context(drop=_fixed_drop)
    y = np.asarray(evaluate(program, _update_probes(False), context))
    ordinary = y[..., :_WEIGHTS]
    if not np.isfinite(ordinary).all():
        degenerate = "non-finite"
    elif np.ptp(ordinary) <= _TINY * max(1.0, float(np.abs(ordinary).max())):
        degenerate = "constant"
    elif np.array_equal(y, evaluate(program, _update_probes(True), context), equal_nan=True):
        degenerate = "no gradient"
    else:
        degenerate = ""
    return Fingerprint(digest(y), degenerate)


def _of_backprop(program: Program) -> Fingerprint:
    from autoglyph.search_spaces.expressions.backprop_rules import probe_operands

    context = Context(drop=_fixed_drop)
    y, other, few = (np.asarray(evaluate(program, probe_operands(number), context)) for number in range(3))
    if not np.isfinite(y).all():
        degenerate = "non-finite"
    elif np.ptp(y) <= _TINY * max(1.0, float(np.abs(y).max())):
        degenerate = "constant"
    elif np.array_equal(y, other):
        degenerate = "no gradient"
    else:
        degenerate = ""
    return Fingerprint(digest(np.concatenate([y, other, few])), degenerate)
