"""Programs: expressions as data, a short list of units over a file of registers.

The first registers are the operands of the vocabulary, each unit adds one, "u1", "u2" and so on, and the last one is
the value of the program. A unit is binary(unary1(a), unary2(b)), as in the core units of Ramachandran et al. 2017
and the groups of Bello et al. 2017.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyglove as pg
from numpy.typing import NDArray

from autoglyph.search_spaces import plugins
from autoglyph.search_spaces.expressions.vocabulary import Vocabulary, vocabulary


class Term(pg.Object):
    """A register under a unary operation.

    Attributes:
        unary: name of the operation.
        register: name of an operand, or "u1" for the first unit.
    """

    unary: str
    register: str


class Unit(pg.Object):
    """A binary operation of two terms.

    Attributes:
        left: first argument.
        right: second argument.
        binary: name of the operation.
    """

    left: Any
    right: Any
    binary: str


class Program(pg.Object):
    """An expression over a vocabulary.

    Attributes:
        units: at least one; a unit may read the units before it.
        vocabulary: name of the vocabulary.
    """

    units: list[Any]
    vocabulary: str

    @property
    def words(self) -> Vocabulary:
        """The vocabulary itself."""
        return vocabulary(self.vocabulary)


def register_names(words: Vocabulary, units: int) -> list[str]:
    """Registers that the unit after `units` units can read."""
    return [*words.operand_table, *(f"u{i + 1}" for i in range(units))]


def unit(unary1: str, a: str, unary2: str, b: str, binary: str) -> Unit:
    """A unit from its five tokens."""
    return Unit(left=Term(unary=unary1, register=a), right=Term(unary=unary2, register=b), binary=binary)


def plain_units(program: Program) -> list[tuple[str, str, str, str, str]]:
    """The five tokens of every unit: unary 1, register a, unary 2, register b and binary.

    Attributes of symbolic objects are slow to read; what reads them more than once reads these.
    """
    found = []
    for each in program.units:
        left, right = each.left, each.right
        found.append((left.unary, left.register, right.unary, right.register, each.binary))
    return found


def check(program: Program) -> None:
    """Refuses a program with unknown names or registers that do not exist yet.

    Raises:
        ValueError: in one sentence about the first fault.
    """
    to_rows(program)


def to_rows(program: Program) -> NDArray[np.int32]:
    """(units, 5) numbers of unary 1, register a, unary 2, register b and binary.

    Operations are counted as the tables of the vocabulary list them, registers from the first operand.

    Raises:
        ValueError: if the program names an operation or a register that there is not.
    """
    words = program.words
    if not program.units:
        raise ValueError("A program has at least one unit: write left(identity(x), identity(x)) for its operand x.")
    unaries, binaries = list(words.unary_table), list(words.binary_table)
    rows = []
    for i, (unary1, a, unary2, b, binary) in enumerate(plain_units(program)):
        registers = register_names(words, i)
        row = []
        for unary, register in ((unary1, a), (unary2, b)):
            row += [_index("unary operation", unary, unaries), _index("register", register, registers)]
        rows.append([*row, _index("binary operation", binary, binaries)])
    return np.array(rows, np.int32)


def from_rows(rows: Iterable[Iterable[int]], words: Vocabulary) -> Program:
    """The program of rows of numbers; the inverse of `to_rows`.

    Raises:
        ValueError: if a number names nothing.
    """
    unaries, binaries = list(words.unary_table), list(words.binary_table)
    units = []
    for i, row in enumerate(rows):
        registers = register_names(words, i)
        tables = (unaries, registers, unaries, registers, binaries)
        numbers = [int(number) for number in row]
        if len(numbers) != 5 or any(not 0 <= n < len(t) for n, t in zip(numbers, tables, strict=True)):
            limits = [len(table) - 1 for table in tables]
            raise ValueError(f"Unit {i + 1} is {numbers}: give five numbers from 0 to at most {limits}.")
        unary1, a, unary2, b, binary = (table[n] for table, n in zip(tables, numbers, strict=True))
        units.append(unit(unary1, a, unary2, b, binary))
    return Program(units=units, vocabulary=words.name)


def _index(kind: str, name: str, names: list[str]) -> int:
    if name not in names:
        raise plugins.unknown_name(kind, name, names)
    return names.index(name)
