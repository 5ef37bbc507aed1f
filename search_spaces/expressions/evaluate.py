"""Values of programs on arrays of any back-end, and forward-mode derivatives of activation functions in NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autoglyph.search_spaces.expressions.numerics import Context, NumpyBackend
from autoglyph.search_spaces.expressions.program import Program, plain_units

Dual = tuple[Any, Any, Any]
_NOT_READ = "left"
_Unit = tuple[int, tuple[str, str, str, str, str]]


def needed_units(program: Program) -> list[int]:
    """Numbers of the units that the value of the program depends on, in order."""
    return [i for i, _ in _needed(program)]


def _needed(program: Program) -> list[_Unit]:
    """The units that the value depends on, in order, each with its number."""
    units = plain_units(program)
    operands = program.words.operand_table
    needed = {len(units) - 1}
    for i in range(len(units) - 1, -1, -1):
        if i in needed:
            _, a, _, b, binary = units[i]
            registers = [a] if binary == _NOT_READ else [a, b]
            needed |= {int(register[1:]) - 1 for register in registers if register not in operands}
    return [(i, units[i]) for i in sorted(needed)]


def operands_read(program: Program) -> list[str]:
    """Names of the operands that the value of the program depends on, in the order of the vocabulary."""
    read: set[str] = set()
    for _, (_, a, _, b, binary) in _needed(program):
        read |= {a} if binary == _NOT_READ else {a, b}
    return [name for name in program.words.operand_table if name in read]


def evaluate(
    program: Program, operands: Mapping[str, Any], context: Context | None = None, *, backend: Any = NumpyBackend
) -> Any:
    """The value of a program.

    Args:
        program: what to compute; units that nothing reads are not computed.
        operands: arrays by name, those that the program reads; elementwise operations broadcast.
        context: beta and dropping; beta 1 and no dropping by default.
        backend: elementary functions of the library of the arrays.

    Returns:
        The value, an array of the operands' library and precision.
    """
    around = context or Context()
    registers = dict(operands)
    words = program.words
    value: Any = None
    with np.errstate(all="ignore"):
        for i, (unary1, a, unary2, b, binary) in _needed(program):
            value = words.unary_table[unary1].function(backend, registers[a], around)
            if binary != _NOT_READ:
                right = words.unary_table[unary2].function(backend, registers[b], around)
                value = words.binary_table[binary].function(backend, value, right, around)
            registers[f"u{i + 1}"] = value
    return value


def derivatives(program: Program, x: Any, beta: Any = 1.0) -> Dual:
    """Value and derivatives of an activation function, forward in one pass.

    Args:
        program: over the vocabulary "activation".
        x: array of inputs.
        beta: number, or array that broadcasts against x.

    Returns:
        y, dy/dx and dy/dbeta, arrays of the broadcast shape of x and beta; dy/dbeta is that of each entry, to be
        summed where entries share a beta.

    Raises:
        ValueError: if an operation of the program has no derivative rule.
    """
    dual = forward_dual(program, x, beta, backend=NumpyBackend)
    shape = np.broadcast_shapes(np.shape(x), np.shape(beta))
    dtype = np.asarray(x).dtype
    y, dx, db = (np.broadcast_to(np.asarray(0.0 if part is None else part, dtype), shape) for part in dual)
    return y, dx, db


def forward_dual(program: Program, x: Any, beta: Any, *, backend: Any) -> Dual:
    """Value and derivatives of an activation function as they come: of any back-end, and not broadcast.

    Args:
        program: over the vocabulary "activation".
        x: inputs.
        beta: what the program reads as beta.
        backend: elementary functions of the library of x and beta.

    Returns:
        y, dy/dx and dy/dbeta; a derivative may be a number, and None where it is 0 everywhere.

    Raises:
        ValueError: if an operation of the program has no derivative rule.
    """
    around = Context(beta=beta)
    words = program.words
    registers: dict[str, Dual] = {"x": (x, 1.0, None)}
    dual: Dual = registers["x"]
    with np.errstate(all="ignore"):
        for i, (unary1, a, unary2, b, binary) in _needed(program):
            dual = _apply(words.unary_table[unary1], [registers[a]], around, backend)
            if binary != _NOT_READ:
                right = _apply(words.unary_table[unary2], [registers[b]], around, backend)
                dual = _apply(words.binary_table[binary], [dual, right], around, backend)
            registers[f"u{i + 1}"] = dual
    return dual


def reads_beta(program: Program) -> bool:
    """Whether the value of an activation function depends on beta."""
    ones = np.ones(1)
    return forward_dual(program, ones, ones, backend=NumpyBackend)[2] is not None


def _apply(operation: Any, arguments: list[Dual], context: Context, backend: Any) -> Dual:
    if operation.derivative is None:
        raise ValueError(f"{operation.name} has no derivative rule: use the operations of the vocabulary activation.")
    values = [argument[0] for argument in arguments]
    y = operation.function(backend, *values, context)
    *partials, by_beta = operation.derivative(backend, *values, y, context)
    dx, db = None, by_beta
    for partial, (_, argument_dx, argument_db) in zip(partials, arguments, strict=True):
        dx = _sum(dx, _product(partial, argument_dx))
        db = _sum(db, _product(partial, argument_db))
    return y, dx, db


def _product(a: Any, b: Any) -> Any:
    """The product, where None is a derivative that is 0 whatever it is multiplied with."""
    return None if a is None or b is None else a * b


def _sum(a: Any, b: Any) -> Any:
    if a is None or b is None:
        return b if a is None else a
    return a + b
