"""Programs as lists of NumPy calls: the tables of the vocabularies run once on symbols, and what they did is kept.

A symbol remembers which call makes it of which symbols. Equal calls are one symbol, calls on constants are made at
once, and a plan keeps only the calls that its outputs need. So the operations of a program, their derivatives and
the operands they read are computed once each, without anything in between, and no text is ever executed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.search_spaces.expressions.unary_operations import DROP_RATES

Array = NDArray[Any]
Arguments = tuple[Any, ...]


def _where(condition: Array, a: Array, b: Array, out: Array | None = None) -> Array:
    """Entries of a where the condition holds, else of b; all are in single precision.

    The bits of b change to those of a under a mask, which is several times as fast as a copy under a condition.
    """
    if out is None:
        return np.where(condition, a, b)
    bits = out.view(np.uint32)
    a_bits, b_bits = a.view(np.uint32), b.view(np.uint32)
    np.negative(condition.astype(np.uint32), bits)
    np.bitwise_and(bits, np.bitwise_xor(a_bits, b_bits), bits)
    np.bitwise_xor(bits, b_bits, bits)
    return out


def _as_float(condition: Array, out: Array | None = None) -> Array:
    if out is None:
        return np.asarray(condition, np.float32)
    np.copyto(out, condition)
    return out


def _erf(x: Array, out: Array | None = None) -> Array:
    from scipy.special import erf

    return np.asarray(erf(x, out=out))


def _total(axis: int | None) -> Callable[..., Array]:
    return lambda x, out=None: np.sum(x, axis=axis, keepdims=True, out=out)


def _largest(axis: int | None) -> Callable[..., Array]:
    return lambda x, out=None: np.max(x, axis=axis, keepdims=True, out=out)


def _drop(rate: float) -> Callable[..., Array]:
    """Dropping by masks of bits, of which as many are read as `like` has entries: all ones where one is kept."""
    share = np.asarray(1 - rate, np.float32)

    def drop(x: Array, masks: Array, like: Array, out: Array | None = None) -> Array:
        if out is None:
            out = np.empty(np.broadcast_shapes(x.shape, like.shape), np.float32)
        np.divide(x, share, out)
        bits = out.view(np.uint32)
        np.bitwise_and(bits, masks[: like.size].reshape(like.shape), bits)
        return out

    return drop


_AXES: tuple[int | None, ...] = (None, -1, -2)
CALLS: dict[str, Callable[..., Any]] = {
    **{name: getattr(np, name) for name in ("add", "subtract", "multiply", "divide", "negative", "power", "matmul")},
    **{name: getattr(np, name) for name in ("exp", "log", "log1p", "sqrt", "abs", "sign", "maximum", "minimum")},
    **{name: getattr(np, name) for name in ("sin", "cos", "sinh", "cosh", "tanh", "arcsinh", "arctan")},
    **{name: getattr(np, name) for name in ("greater", "less", "greater_equal", "less_equal", "equal")},
    "where": _where,
    "cast": _as_float,
    "erf": _erf,
    **{f"drop{rate}": _drop(rate) for rate in DROP_RATES},
    **{f"total{axis}": _total(axis) for axis in _AXES},
    **{f"largest{axis}": _largest(axis) for axis in _AXES},
}
"""What a plan may call: each takes its arguments and where to write the result."""
_VIEW = "transpose"
_UNCHANGED_BY = {"add": 0.0, "subtract": 0.0, "multiply": 1.0, "divide": 1.0}


class Symbol:
    """A value that a plan will compute, or one that it is given.

    Attributes:
        call: name in `CALLS`; "input", "constant" or "transpose".
        arguments: symbols; of a constant its value, of an input its name.
    """

    __slots__ = ("arguments", "call", "trace")
    __array_ufunc__ = None

    def __init__(self, trace: Trace, call: str, arguments: Arguments) -> None:
        self.trace, self.call, self.arguments = trace, call, arguments

    def __add__(self, other: Any) -> Symbol:
        return self.trace.call("add", self, other)

    def __radd__(self, other: Any) -> Symbol:
        return self.trace.call("add", other, self)

    def __sub__(self, other: Any) -> Symbol:
        return self.trace.call("subtract", self, other)

    def __rsub__(self, other: Any) -> Symbol:
        return self.trace.call("subtract", other, self)

    def __mul__(self, other: Any) -> Symbol:
        return self.trace.call("multiply", self, other)

    def __rmul__(self, other: Any) -> Symbol:
        return self.trace.call("multiply", other, self)

    def __truediv__(self, other: Any) -> Symbol:
        return self.trace.call("divide", self, other)

    def __rtruediv__(self, other: Any) -> Symbol:
        return self.trace.call("divide", other, self)

    def __neg__(self) -> Symbol:
        return self.trace.call("negative", self)

    def __gt__(self, other: Any) -> Symbol:
        return self.trace.call("greater", self, other)

    def __lt__(self, other: Any) -> Symbol:
        return self.trace.call("less", self, other)

    def __ge__(self, other: Any) -> Symbol:
        return self.trace.call("greater_equal", self, other)

    def __le__(self, other: Any) -> Symbol:
        return self.trace.call("less_equal", self, other)

    def __eq__(self, other: object) -> Symbol:  # type: ignore[override]
        return self.trace.call("equal", self, other)

    __hash__ = object.__hash__


class Trace:
    """Makes symbols; it is the back-end that the tables of the vocabularies are run with."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Symbol] = {}

    def input(self, name: str) -> Symbol:
        """The symbol of an array that the plan is given."""
        return self._symbol("input", (name,), (name,))

    def symbol(self, value: Any) -> Symbol:
        """A number as a constant in single precision; symbols as they are."""
        if isinstance(value, Symbol):
            return value
        number = np.asarray(value, np.float32 if not isinstance(value, np.bool_) else np.bool_)
        return self._symbol("constant", (number.tobytes(), number.dtype.char), (number,))

    def call(self, name: str, *values: Any) -> Symbol:
        """The symbol of a call."""
        arguments = tuple(self.symbol(value) for value in values)
        if all(argument.call == "constant" for argument in arguments):
            with np.errstate(all="ignore"):
                return self.symbol(CALLS[name](*(argument.arguments[0] for argument in arguments)))
        unchanged = _UNCHANGED_BY.get(name)
        if unchanged is not None:
            if _is(arguments[1], unchanged):
                return arguments[0]
            if name in ("add", "multiply") and _is(arguments[0], unchanged):
                return arguments[1]
        return self._symbol(name, tuple(map(id, arguments)), arguments)

    def _symbol(self, call: str, key: Arguments, arguments: Arguments) -> Symbol:
        return self._known.setdefault((call, *key), Symbol(self, call, arguments))

    def exp(self, x: Any) -> Symbol:
        """e^x."""
        return self.call("exp", x)

    def log(self, x: Any) -> Symbol:
        """The natural logarithm."""
        return self.call("log", x)

    def sqrt(self, x: Any) -> Symbol:
        """The square root."""
        return self.call("sqrt", x)

    def abs(self, x: Any) -> Symbol:
        """|x|."""
        return self.call("abs", x)

    def sign(self, x: Any) -> Symbol:
        """-1, 0 or 1."""
        return self.call("sign", x)

    def sin(self, x: Any) -> Symbol:
        """The sine."""
        return self.call("sin", x)

    def cos(self, x: Any) -> Symbol:
        """The cosine."""
        return self.call("cos", x)

    def sinh(self, x: Any) -> Symbol:
        """The hyperbolic sine."""
        return self.call("sinh", x)

    def cosh(self, x: Any) -> Symbol:
        """The hyperbolic cosine."""
        return self.call("cosh", x)

    def tanh(self, x: Any) -> Symbol:
        """The hyperbolic tangent."""
        return self.call("tanh", x)

    def asinh(self, x: Any) -> Symbol:
        """The inverse of the hyperbolic sine."""
        return self.call("arcsinh", x)

    def atan(self, x: Any) -> Symbol:
        """The inverse of the tangent."""
        return self.call("arctan", x)

    def erf(self, x: Any) -> Symbol:
        """The error function."""
        return self.call("erf", x)

    def maximum(self, a: Any, b: Any) -> Symbol:
        """The larger one."""
        return self.call("maximum", a, b)

    def minimum(self, a: Any, b: Any) -> Symbol:
        """The smaller one."""
        return self.call("minimum", a, b)

    def power(self, a: Any, b: Any) -> Symbol:
        """a^b."""
        return self.call("power", a, b)

    def matmul(self, a: Any, b: Any) -> Symbol:
        """The product of matrices."""
        return self.call("matmul", a, b)

    def where(self, condition: Any, a: Any, b: Any) -> Symbol:
        """Entries of a where the condition holds, else of b."""
        return self.call("where", condition, a, b)

    def relu(self, x: Any) -> Symbol:
        """max(x, 0)."""
        return self.call("maximum", x, 0.0)

    def sigmoid(self, x: Any) -> Symbol:
        """1 / (1 + e^-x); an overflow below -88 gives 0, as it should."""
        return 1.0 / (1.0 + self.exp(-self.symbol(x)))

    def softplus(self, x: Any) -> Symbol:
        """log(1 + e^x) without overflow."""
        return self.relu(x) + self.call("log1p", self.exp(-self.abs(x)))

    def cast(self, condition: Any, like: Any) -> Symbol:
        """A truth value as 0 or 1."""
        return self.call("cast", condition)

    def transpose(self, x: Any) -> Symbol:
        """Rows and columns exchanged."""
        return self._symbol(_VIEW, (id(x),), (x,))

    def total(self, x: Any, axis: int | None) -> Symbol:
        """The sum over an axis, which stays."""
        return self.call(f"total{axis}", x)

    def largest(self, x: Any, axis: int | None) -> Symbol:
        """The largest over an axis, which stays."""
        return self.call(f"largest{axis}", x)

    def zeros_like(self, x: Any) -> Symbol:
        """0, which broadcasts."""
        return self.symbol(0.0)

    def ones_like(self, x: Any) -> Symbol:
        """1, which broadcasts."""
        return self.symbol(1.0)


def _is(symbol: Symbol, number: float) -> bool:
    return symbol.call == "constant" and bool(symbol.arguments[0] == number)


def needed(outputs: Iterable[Symbol]) -> list[Symbol]:
    """The symbols that outputs depend on, themselves among them, each after its arguments."""
    order: list[Symbol] = []
    seen: set[int] = set()
    stack = [(symbol, False) for symbol in outputs]
    while stack:
        symbol, is_ready = stack.pop()
        if is_ready:
            order.append(symbol)
        elif id(symbol) not in seen:
            seen.add(id(symbol))
            stack.append((symbol, True))
            if symbol.call not in ("input", "constant"):
                stack += [(argument, False) for argument in symbol.arguments]
    return order


def _last_reads(order: Sequence[Symbol], outputs: Iterable[Symbol]) -> dict[str, int]:
    """Where in an order of symbols each input is read for the last time, by its name; outputs are read after all."""
    reads = [(at, a) for at, s in enumerate(order) if s.call not in ("input", "constant") for a in s.arguments]
    found = {}
    for at, symbol in [*reads, *((len(order), output) for output in outputs)]:
        while symbol.call == _VIEW:
            (symbol,) = symbol.arguments
        if symbol.call == "input":
            found[symbol.arguments[0]] = at
    return found


class Plan:
    """The calls that make some values, each with an array for its result.

    Args:
        outputs: symbols by name.
        inputs: arrays by the names of input symbols; they are read anew at every run.
        in_place: outputs that replace, by the end of every run, what the inputs of their names hold.

    Attributes:
        results: arrays of the outputs by name, rewritten by every run; where an output is an input or a constant,
            that.
    """

    def __init__(
        self, outputs: Mapping[str, Symbol], inputs: Mapping[str, Array], *, in_place: Sequence[str] = ()
    ) -> None:
        values: dict[int, Array] = {}
        order = needed(outputs.values())
        last_reads = _last_reads(order, outputs.values())
        replacing = {id(outputs[name]): name for name in in_place}
        self._calls: list[Callable[[], Any]] = []
        with np.errstate(all="ignore"):
            for at, symbol in enumerate(order):
                if symbol.call == "input":
                    value = inputs[symbol.arguments[0]]
                elif symbol.call == "constant":
                    value = symbol.arguments[0]
                elif symbol.call == _VIEW:
                    value = np.swapaxes(values[id(symbol.arguments[0])], -1, -2)
                else:
                    arguments = tuple(values[id(argument)] for argument in symbol.arguments)
                    function = CALLS[symbol.call]
                    value = np.asarray(function(*arguments))
                    name = replacing.get(id(symbol))
                    if name is not None and isinstance(function, np.ufunc) and last_reads.get(name, at) <= at:
                        value = inputs[name] if inputs[name].shape == value.shape else value
                    self._calls.append(functools.partial(function, *arguments, out=value))
                values[id(symbol)] = value
        self.results = {name: values[id(symbol)] for name, symbol in outputs.items()}
        for name in in_place:
            if self.results[name] is not inputs[name]:
                self._calls.append(functools.partial(np.copyto, inputs[name], self.results[name]))

    def run(self) -> None:
        """Makes all values anew; warnings of NumPy are for the caller to silence."""
        for call in self._calls:
            call()
