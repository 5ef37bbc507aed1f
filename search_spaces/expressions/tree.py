"""Expressions as trees of nested tuples, in which identities, unread units and repetition have no trace."""

from __future__ import annotations

from typing import Any

from autoglyph.search_spaces.expressions.program import Program, Term, Unit
from autoglyph.search_spaces.expressions.vocabulary import Vocabulary

Tree = tuple[Any, ...]
"""(name of an operand,), (name of a unary operation, tree) or (name of a binary operation, tree, tree)."""


def to_tree(program: Program) -> Tree:
    """The tree of a program."""
    registers: dict[str, Tree] = {name: (name,) for name in program.words.operand_table}

    def of_term(term: Any) -> Tree:
        inner = registers[term.register]
        return inner if term.unary == "identity" else (term.unary, inner)

    for i, unit in enumerate(program.units):
        left = of_term(unit.left)
        registers[f"u{i + 1}"] = left if unit.binary == "left" else (unit.binary, left, of_term(unit.right))
    return registers[f"u{len(program.units)}"]


def from_tree(tree: Tree, words: Vocabulary) -> Program:
    """A program of a tree, in which equal parts are computed once.

    A unary operation of a unary operation takes a unit of its own, whose binary operation is "left".
    """
    units: list[Unit] = []
    registers: dict[Tree, str] = {}

    def term_of(part: Tree) -> Term:
        if len(part) == 2:
            return Term(unary=part[0], register=register_of(part[1]))
        return Term(unary="identity", register=register_of(part))

    def register_of(part: Tree) -> str:
        if len(part) == 1:
            return str(part[0])
        if part not in registers:
            add_unit(part)
        return registers[part]

    def add_unit(part: Tree) -> None:
        left = term_of(part[1]) if len(part) == 3 else term_of(part)
        right = term_of(part[2]) if len(part) == 3 else Term(unary="identity", register=left.register)
        units.append(Unit(left=left, right=right, binary=part[0] if len(part) == 3 else "left"))
        registers[part] = f"u{len(units)}"

    add_unit(tree)
    return Program(units=units, vocabulary=words.name)
