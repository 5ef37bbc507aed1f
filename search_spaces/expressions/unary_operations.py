"""The table of unary operations, by name.

A derivative rule gives dy/dx and dy/dbeta. At kinks it is what TensorFlow gives: 0 for |x|, max(x, 0) and min(x, 0).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from autoglyph.search_spaces.expressions.numerics import EPSILON
from autoglyph.search_spaces.expressions.operation import Operation, Typing

DROP_RATES = (0.1, 0.3, 0.5)
"""Shares of entries that an operation can drop (Bello et al. 2017)."""


def _unary(
    name: str,
    function: Callable[..., Any],
    slope: Callable[..., Any] | None = None,
    *,
    latex: str = "",
    text: str = "",
    numerics: str = "",
    typing: Typing = "same",
) -> Operation:
    """A row whose derivative by beta is 0; `slope` is (backend, x, y) -> dy/dx."""
    return Operation(
        name,
        1,
        lambda xp, x, c: function(xp, x),
        (lambda xp, x, y, c: (slope(xp, x, y), None)) if slope else None,
        text=text,
        latex=latex or rf"\{name}\left(@0\right)",
        numerics=numerics,
        typing=typing,
    )


def _sinc(xp: Any, x: Any) -> Any:
    is_zero = x == 0
    safe = xp.where(is_zero, xp.ones_like(x), x)
    return xp.where(is_zero, xp.ones_like(x), xp.sin(safe) / safe)


def _sinc_slope(xp: Any, x: Any, y: Any) -> Any:
    is_zero = x == 0
    safe = xp.where(is_zero, xp.ones_like(x), x)
    return xp.where(is_zero, xp.zeros_like(x), (xp.cos(safe) - y) / safe)


_BETA = [
    Operation(
        "beta_times", 1, lambda xp, x, c: c.beta * x, lambda xp, x, y, c: (c.beta, x), "beta * {0}", r"\beta \cdot @0"
    ),
    Operation("beta_plus", 1, lambda xp, x, c: x + c.beta, lambda xp, x, y, c: (1.0, 1.0), "beta + {0}", r"\beta + @0"),
    Operation("beta", 1, lambda xp, x, c: xp.zeros_like(x) + c.beta, lambda xp, x, y, c: (None, 1.0), "beta", r"\beta"),
]

_SMOOTH = [
    _unary("identity", lambda xp, x: x, lambda xp, x, y: 1.0, text="{0}", latex="@0"),
    _unary("negative", lambda xp, x: -x, lambda xp, x, y: -1.0, text="-{0}", latex="-@0"),
    _unary("square", lambda xp, x: x * x, lambda xp, x, y: 2 * x, text="{0}**2", latex="{@0}^{2}"),
    _unary("cube", lambda xp, x: x * x * x, lambda xp, x, y: 3 * (x * x), text="{0}**3", latex="{@0}^{3}"),
    _unary(
        "sqrt",
        lambda xp, x: xp.sqrt(x),
        lambda xp, x, y: 0.5 / y,
        latex=r"\sqrt{@0}",
        numerics="NaN below 0; the slope at 0 is infinite",
    ),
    _unary("exp", lambda xp, x: xp.exp(x), lambda xp, x, y: y, latex="e^{@0}", numerics="infinite on overflow"),
    _unary("sin", lambda xp, x: xp.sin(x), lambda xp, x, y: xp.cos(x)),
    _unary("cos", lambda xp, x: xp.cos(x), lambda xp, x, y: -xp.sin(x)),
    _unary("sinh", lambda xp, x: xp.sinh(x), lambda xp, x, y: xp.cosh(x), numerics="infinite on overflow"),
    _unary("cosh", lambda xp, x: xp.cosh(x), lambda xp, x, y: xp.sinh(x), numerics="infinite on overflow"),
    _unary("tanh", lambda xp, x: xp.tanh(x), lambda xp, x, y: 1 - y * y),
    _unary(
        "asinh",
        lambda xp, x: xp.asinh(x),
        lambda xp, x, y: 1 / xp.sqrt(1 + x * x),
        latex=r"\sinh^{-1}\left(@0\right)",
    ),
    _unary("atan", lambda xp, x: xp.atan(x), lambda xp, x, y: 1 / (1 + x * x), latex=r"\tan^{-1}\left(@0\right)"),
    _unary("sinc", _sinc, _sinc_slope, latex=r"\operatorname{sinc}\left(@0\right)", numerics="sin(x)/x, 1 at 0"),
    _unary("sigmoid", lambda xp, x: xp.sigmoid(x), lambda xp, x, y: y * (1 - y), latex=r"\sigma\left(@0\right)"),
    _unary(
        "softplus", lambda xp, x: xp.softplus(x), lambda xp, x, y: xp.sigmoid(x), latex=r"\log\left(1+e^{@0}\right)"
    ),
    _unary("gaussian", lambda xp, x: xp.exp(-(x * x)), lambda xp, x, y: -2 * x * y, latex="e^{-{@0}^{2}}"),
    _unary(
        "erf",
        lambda xp, x: xp.erf(x),
        lambda xp, x, y: (2 / math.sqrt(math.pi)) * xp.exp(-(x * x)),
        latex=r"\operatorname{erf}\left(@0\right)",
    ),
]

_KINKED = [
    _unary("abs", lambda xp, x: xp.abs(x), lambda xp, x, y: xp.sign(x), latex=r"\left|@0\right|"),
    _unary(
        "log_abs",
        lambda xp, x: xp.log(xp.abs(x) + EPSILON),
        lambda xp, x, y: xp.sign(x) / (xp.abs(x) + EPSILON),
        latex=r"\log\left|@0\right|",
        numerics="log(|x| + 1e-8)",
    ),
    _unary("sqrt_abs", lambda xp, x: xp.sqrt(xp.abs(x)), latex=r"\sqrt{\left|@0\right|}"),
    _unary("relu", lambda xp, x: xp.relu(x), lambda xp, x, y: xp.cast(x > 0, x), latex=r"\max\left(@0, 0\right)"),
    _unary("min_zero", lambda xp, x: -xp.relu(-x), lambda xp, x, y: xp.cast(x < 0, x), latex=r"\min\left(@0, 0\right)"),
    _unary("sign", lambda xp, x: xp.sign(x), latex=r"\operatorname{sign}\left(@0\right)", numerics="0 at 0"),
    _unary("step", lambda xp, x: xp.cast(x > 0, x), latex=r"1_{@0 > 0}", numerics="0 at 0"),
    _unary("reciprocal", lambda xp, x: 1 / (x + EPSILON), latex=r"\frac{1}{@0}", numerics="1 / (x + 1e-8)"),
    _unary("half", lambda xp, x: 0.5 * x, latex=r"\tfrac{1}{2} @0"),
    _unary("twice", lambda xp, x: 2.0 * x, latex="2 @0"),
    _unary("transpose", lambda xp, x: xp.transpose(x), latex=r"{@0}^{\top}", typing="transpose"),
]


def _clip(name: str, bound: float) -> Operation:
    return _unary(
        name,
        lambda xp, x: xp.minimum(xp.maximum(x, -bound), bound),
        latex=rf"\operatorname{{clip}}_{{{bound:g}}}\left(@0\right)",
        numerics=f"limited to -{bound:g} and {bound:g}",
    )


def _drop(name: str, rate: float) -> Operation:
    return Operation(
        name,
        1,
        lambda xp, x, c: x if c.drop is None else c.drop(x, rate),
        latex=rf"\operatorname{{drop}}_{{{rate:g}}}\left(@0\right)",
        numerics=f"each entry 0 with probability {rate:g}, otherwise scaled by {1 / (1 - rate):g}",
    )


def _norm(name: str, order: str, axis: int | None) -> Operation:
    def divide(xp: Any, x: Any) -> Any:
        if order == "1":
            norm = xp.total(xp.abs(x), axis)
        elif order == "2":
            norm = xp.sqrt(xp.total(x * x, axis))
        else:
            norm = xp.largest(xp.abs(x), axis)
        return x / (norm + EPSILON)

    over = {None: "all entries", -1: "each row", -2: "each column"}[axis]
    index = {None: "F", -1: f"{order},e", -2: f"{order},b"}[axis]
    latex = rf"\frac{{@0}}{{\left\|@0\right\|_{{{index}}}}}"
    return _unary(name, divide, latex=latex, numerics=f"divided by the {order}-norm of {over}, plus 1e-8")


_ROWS = [
    *_SMOOTH,
    *_KINKED,
    *_BETA,
    *[_clip(name, bound) for name, bound in (("clip_1e5", 1e-5), ("clip_1e4", 1e-4), ("clip_1e3", 1e-3))],
    *[_clip(name, bound) for name, bound in (("clip_001", 0.01), ("clip_01", 0.1), ("clip_1", 1.0))],
    *[_drop(f"drop_{round(10 * rate)}", rate) for rate in DROP_RATES],
    _norm("norm_all", "2", None),
    *[_norm(f"norm_rows_{order}", order, -1) for order in ("1", "2", "inf")],
    *[_norm(f"norm_columns_{order}", order, -2) for order in ("1", "2", "inf")],
]
UNARIES: dict[str, Operation] = {row.name: row for row in _ROWS}
