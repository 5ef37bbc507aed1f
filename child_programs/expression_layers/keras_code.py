"""Programs as Python code of `keras.ops`, traced through the same tables that evaluate them.

A program is evaluated on values that remember how they were made, so that there is one definition of every operation,
and code can hold nothing but what the tables write, whatever names a file or a record brought.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from autoglyph.search_spaces.expressions.evaluate import evaluate
from autoglyph.search_spaces.expressions.numerics import Context
from autoglyph.search_spaces.expressions.program import Program, check

_COMPARISON, _SUM, _PRODUCT, _SIGN, _ATOM = range(5)  # how tightly code binds
_LONG_LINE = 72


class Code(NamedTuple):
    """Code of an expression.

    Attributes:
        lines: statements of a function body; the last one returns the value.
        reads: names of the arguments that the code reads, in the order of their first reading.
    """

    lines: tuple[str, ...]
    reads: tuple[str, ...]


class _Value:
    """A value that remembers how it is written: a pattern with places for the values that it is made of."""

    def __init__(self, pattern: str, parts: tuple[_Value, ...] = (), tightness: int = _ATOM) -> None:
        self.pattern, self.parts, self.tightness = pattern, parts, tightness

    def __add__(self, other: Any) -> _Value:
        return _operator("+", self, other, _SUM)

    def __radd__(self, other: Any) -> _Value:
        return _operator("+", other, self, _SUM)

    def __sub__(self, other: Any) -> _Value:
        return _operator("-", self, other, _SUM)

    def __rsub__(self, other: Any) -> _Value:
        return _operator("-", other, self, _SUM)

    def __mul__(self, other: Any) -> _Value:
        return _operator("*", self, other, _PRODUCT)

    def __rmul__(self, other: Any) -> _Value:
        return _operator("*", other, self, _PRODUCT)

    def __truediv__(self, other: Any) -> _Value:
        return _operator("/", self, other, _PRODUCT)

    def __rtruediv__(self, other: Any) -> _Value:
        return _operator("/", other, self, _PRODUCT)

    def __neg__(self) -> _Value:
        return _Value("-{0}", (self,), _SIGN)

    def __gt__(self, other: Any) -> _Value:
        return _operator(">", self, other, _COMPARISON)

    def __eq__(self, other: Any) -> Any:  # the tables compare arrays, entry by entry
        return _operator("==", self, other, _COMPARISON)

    __hash__ = object.__hash__


def _value(number: Any) -> _Value:
    if isinstance(number, _Value):
        return number
    return _Value(repr(float(number)), (), _SIGN if number < 0 else _ATOM)


def _operator(symbol: str, left: Any, right: Any, tightness: int) -> _Value:
    return _Value(f"{{0}} {symbol} {{1}}", (_value(left), _value(right)), tightness)


def _call(function: str, *arguments: Any, settings: str = "") -> _Value:
    places = ", ".join(f"{{{i}}}" for i in range(len(arguments)))
    return _Value(f"{function}({places}{settings})", tuple(map(_value, arguments)))


def _function(name: str) -> Callable[..., _Value]:
    return lambda *arguments: _call(f"ops.{name}", *arguments)


class _KerasCode:
    """The elementary functions of the tables, written in `keras.ops`."""

    exp, log, sqrt, abs, sign = map(_function, ("exp", "log", "sqrt", "abs", "sign"))
    sin, cos, sinh, cosh, tanh = map(_function, ("sin", "cos", "sinh", "cosh", "tanh"))
    asinh, atan, erf, where, power = map(_function, ("arcsinh", "arctan", "erf", "where", "power"))
    maximum, minimum, matmul = map(_function, ("maximum", "minimum", "matmul"))
    zeros_like, ones_like = map(_function, ("zeros_like", "ones_like"))
    relu, sigmoid, softplus = map(_function, ("relu", "sigmoid", "softplus"))

    @staticmethod
    def cast(condition: Any, like: Any) -> _Value:
        return _Value("ops.cast({0}, {1}.dtype)", (_value(condition), _value(like)))

    @staticmethod
    def transpose(x: Any) -> _Value:
        return _call("ops.swapaxes", x, settings=", -1, -2")

    @staticmethod
    def total(x: Any, axis: int | None) -> _Value:
        return _call("ops.sum", x, settings=f", axis={axis}, keepdims=True")

    @staticmethod
    def largest(x: Any, axis: int | None) -> _Value:
        return _call("ops.max", x, settings=f", axis={axis}, keepdims=True")


def keras_code(program: Program) -> Code:
    """The program as the body of a function of its operands.

    Where the program has a beta, that is an argument "beta"; where it drops entries, "drop" is a function of the
    array, the rate and the number of the place in the program.

    Raises:
        ValueError: if the program names an operation or a register that there is not.
    """
    check(program)
    drops = 0

    def drop(x: Any, rate: float) -> _Value:
        nonlocal drops
        drops += 1
        return _Value(f"drop({{0}}, {rate!r}, {drops})", (_value(x),))

    operands = {name: _Value(name) for name in program.words.operand_table}
    context = Context(beta=_Value("beta"), drop=drop)
    found = _Writer().write(_value(evaluate(program, operands, context, backend=_KerasCode)))
    known = [*operands, "beta"]
    reads = sorted((name for name in found.reads if name in known), key=known.index)
    return Code(found.lines, (*reads, *(("drop",) if drops else ())))


class _Writer:
    """Writes values as statements: what is read twice, or long, has a line and a name of its own."""

    def __init__(self) -> None:
        self._uses: dict[_Value, int] = {}
        self._names: dict[_Value, str] = {}
        self._lines: list[str] = []
        self._reads: dict[str, None] = {}

    def write(self, value: _Value) -> Code:
        self._count(value)
        code, _ = self._code(value, is_last=True)
        return Code((*self._lines, f"return {code}"), tuple(self._reads))

    def _count(self, value: _Value) -> None:
        self._uses[value] = self._uses.get(value, 0) + 1
        if self._uses[value] == 1:
            for part in value.parts:
                self._count(part)

    def _code(self, value: _Value, *, is_last: bool = False) -> tuple[str, int]:
        if value in self._names:
            return self._names[value], _ATOM
        if not value.parts:
            if value.pattern.isidentifier():
                self._reads[value.pattern] = None
            return value.pattern, value.tightness
        written = []
        for i, part in enumerate(value.parts):
            code, tightness = self._code(part)
            least = value.tightness + (1 if i else 0)
            needs_parentheses = value.tightness < _ATOM and tightness < least
            written.append(f"({code})" if needs_parentheses else code)
        code = value.pattern.format(*written)
        if is_last or (self._uses[value] == 1 and len(code) <= _LONG_LINE):
            return code, value.tightness
        self._names[value] = f"t{len(self._names) + 1}"
        self._lines.append(f"{self._names[value]} = {code}")
        return self._names[value], _ATOM
