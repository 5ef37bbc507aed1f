"""Programs as tensors of row numbers, interpreted in a TensorFlow graph by branches of which one is taken.

A graph is traced once for a number of units; which operations run is read from the rows. Computing every operation
and choosing afterwards would cost more, and one NaN among what is not chosen would spoil the gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.child_programs.expressions.tensors import tensorflow_backend
from autoglyph.search_spaces.expressions.evaluate import needed_units
from autoglyph.search_spaces.expressions.numerics import Context
from autoglyph.search_spaces.expressions.program import Program, to_rows
from autoglyph.search_spaces.expressions.vocabulary import Vocabulary


def live_rows(program: Program) -> NDArray[np.int32]:
    """(units, 5) numbers of `to_rows` in which what the program does not read is the first operand, unchanged.

    A gradient of 0 through a branch that nothing reads would be NaN where the branch overflows.
    """
    words = program.words
    rows = to_rows(program)
    identity, left = list(words.unary_table).index("identity"), list(words.binary_table).index("left")
    for unit in set(range(len(rows))) - set(needed_units(program)):
        rows[unit] = (identity, 0, identity, 0, left)
    rows[rows[:, 4] == left, 2:4] = (identity, 0)
    return rows


def interpret(
    rows: Any, words: Vocabulary, operands: Mapping[str, Callable[[], Any]], context: Context, *, shape: Any = None
) -> Any:
    """The value of rows, as a tensor.

    Args:
        rows: (units, 5) int32 tensor of `live_rows`, with a known number of units.
        words: the vocabulary that the rows count.
        operands: what makes each operand, by name; only those that are read are made.
        context: beta and dropping, in tensors.
        shape: static shape of all registers where they have one.
    """
    import tensorflow as tf

    backend = tensorflow_backend()

    def shaped(value: Any) -> Any:
        return value if shape is None else tf.ensure_shape(value, shape)

    def chosen(number: Any, branches: list[Callable[[], Any]]) -> Any:
        return branches[0]() if len(branches) == 1 else tf.switch_case(number, branches)

    def applied(operation: Any, *values: Any) -> Callable[[], Any]:
        return lambda: shaped(operation.function(backend, *values, context))

    registers: list[Callable[[], Any]] = [operands[name] for name in words.operand_table]
    value: Any = None
    for unit in range(rows.shape[0]):
        terms = []
        for column in (0, 2):
            register = chosen(rows[unit, column + 1], registers)
            unaries = [applied(operation, register) for operation in words.unary_table.values()]
            terms.append(chosen(rows[unit, column], unaries))
        value = chosen(rows[unit, 4], [applied(operation, *terms) for operation in words.binary_table.values()])
        registers.append(given(value))
    return value


def given(value: Any) -> Callable[[], Any]:
    """What makes an operand that is there already."""
    return lambda: value
