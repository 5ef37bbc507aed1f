"""Shapes of the terms of a program whose operands are matrices: rows and columns by name."""

from __future__ import annotations

from autoglyph.search_spaces.expressions.operation import Operation
from autoglyph.search_spaces.expressions.program import Program
from autoglyph.search_spaces.expressions.vocabulary import Shape


def result_shape(operation: Operation, *shapes: Shape) -> Shape:
    """The shape that an operation makes of those of its arguments.

    Raises:
        ValueError: if the operation cannot be applied to them.
    """
    if operation.typing == "transpose":
        return shapes[0][1], shapes[0][0]
    if operation.typing == "left":
        return shapes[0]
    if operation.typing == "matmul":
        (rows, inner), (also_inner, columns) = shapes
        if inner == also_inner:
            return rows, columns
    elif len(set(shapes)) == 1:
        return shapes[0]
    given = " and ".join(f"({rows}, {columns})" for rows, columns in shapes)
    raise ValueError(f"{operation.name} cannot be applied to {given}: transpose an argument or choose another.")


def program_shape(program: Program) -> Shape:
    """The shape of the value of a program over operands that have shapes.

    Raises:
        ValueError: if a unit cannot be computed.
    """
    words = program.words
    shapes: dict[str, Shape] = {}
    for operand in words.operands:
        if operand.shape is None:
            raise ValueError(f"Operands of the vocabulary {words.name} have no shapes: use the vocabulary backprop.")
        shapes[operand.name] = operand.shape
    shape = words.operands[0].shape or ("", "")
    for i, unit in enumerate(program.units):
        left, right = (
            result_shape(words.unary_table[term.unary], shapes[term.register]) for term in (unit.left, unit.right)
        )
        shape = result_shape(words.binary_table[unit.binary], left, right)
        shapes[f"u{i + 1}"] = shape
    return shape
