"""The table of binary operations, by name.

A derivative rule gives dy/dl, dy/dr and dy/dbeta; where the arguments of max and min are equal, the left one counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autoglyph.search_spaces.expressions.numerics import EPSILON
from autoglyph.search_spaces.expressions.operation import Operation

Partials = tuple[Any, Any, Any]


def _quotient_partials(xp: Any, a: Any, b: Any, y: Any, c: Any) -> Partials:
    return 1 / (b + EPSILON), -y / (b + EPSILON), None


def _pick(is_left: Any, xp: Any, like: Any) -> Partials:
    chosen = xp.cast(is_left, like)
    return chosen, 1 - chosen, None


def _gate_partials(xp: Any, a: Any, b: Any, y: Any, c: Any) -> Partials:
    gate = xp.sigmoid(a)
    return y * (1 - gate), gate, None


def _exp_square_partials(xp: Any, a: Any, b: Any, y: Any, c: Any) -> Partials:
    distance = a - b
    slope = -2 * c.beta * distance * y
    return slope, -slope, -(distance * distance) * y


def _exp_abs_partials(xp: Any, a: Any, b: Any, y: Any, c: Any) -> Partials:
    slope = -c.beta * xp.sign(a - b) * y
    return slope, -slope, -xp.abs(a - b) * y


def _binary(
    name: str,
    function: Callable[..., Any],
    partials: Callable[..., Partials] | None = None,
    *,
    latex: str,
    text: str = "",
    commutative: bool = False,
    numerics: str = "",
) -> Operation:
    return Operation(name, 2, function, partials, text, latex, commutative, numerics=numerics)


_ROWS = [
    _binary(
        "add",
        lambda xp, a, b, c: a + b,
        lambda xp, a, b, y, c: (1.0, 1.0, None),
        text="{0} + {1}",
        latex="@0 + @1",
        commutative=True,
    ),
    _binary(
        "multiply",
        lambda xp, a, b, c: a * b,
        lambda xp, a, b, y, c: (b, a, None),
        text="{0} * {1}",
        latex=r"@0 \cdot @1",
        commutative=True,
    ),
    _binary(
        "subtract",
        lambda xp, a, b, c: a - b,
        lambda xp, a, b, y, c: (1.0, -1.0, None),
        text="{0} - {1}",
        latex="@0 - @1",
    ),
    _binary(
        "divide",
        lambda xp, a, b, c: a / (b + EPSILON),
        _quotient_partials,
        text="{0} / {1}",
        latex=r"\frac{@0}{@1}",
        numerics="a / (b + 1e-8)",
    ),
    _binary(
        "max",
        lambda xp, a, b, c: xp.maximum(a, b),
        lambda xp, a, b, y, c: _pick(a >= b, xp, y),
        latex=r"\max\left(@0, @1\right)",
        commutative=True,
    ),
    _binary(
        "min",
        lambda xp, a, b, c: xp.minimum(a, b),
        lambda xp, a, b, y, c: _pick(a <= b, xp, y),
        latex=r"\min\left(@0, @1\right)",
        commutative=True,
    ),
    _binary("gate", lambda xp, a, b, c: xp.sigmoid(a) * b, _gate_partials, latex=r"\sigma\left(@0\right) \cdot @1"),
    _binary(
        "exp_square",
        lambda xp, a, b, c: xp.exp(-c.beta * ((a - b) * (a - b))),
        _exp_square_partials,
        latex=r"e^{-\beta \left(@0 - @1\right)^{2}}",
        commutative=True,
    ),
    _binary(
        "exp_abs",
        lambda xp, a, b, c: xp.exp(-c.beta * xp.abs(a - b)),
        _exp_abs_partials,
        latex=r"e^{-\beta \left|@0 - @1\right|}",
        commutative=True,
    ),
    _binary(
        "mix",
        lambda xp, a, b, c: c.beta * a + (1 - c.beta) * b,
        lambda xp, a, b, y, c: (c.beta, 1 - c.beta, a - b),
        latex=r"\beta \cdot @0 + \left(1 - \beta\right) \cdot @1",
    ),
    _binary(
        "power",
        lambda xp, a, b, c: xp.power(a, b),
        latex="{@0}^{@1}",
        numerics="NaN for a negative base and a fractional exponent",
    ),
    Operation("matmul", 2, lambda xp, a, b, c: xp.matmul(a, b), None, "{0} @ {1}", "@0 @1", typing="matmul"),
    Operation(
        "left",
        2,
        lambda xp, a, b, c: a,
        lambda xp, a, b, y, c: (1.0, None, None),
        "{0}",
        "@0",
        typing="left",
        numerics="the right argument is not computed",
    ),
]
BINARIES: dict[str, Operation] = {row.name: row for row in _ROWS}
