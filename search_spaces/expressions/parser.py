"""Text to programs, in the syntax of Python: the inverse of `text`, and common ways to write mathematics."""

from __future__ import annotations

import ast
from collections.abc import Callable

from autoglyph.search_spaces import plugins
from autoglyph.search_spaces.expressions.program import Program
from autoglyph.search_spaces.expressions.tree import Tree, from_tree
from autoglyph.search_spaces.expressions.vocabulary import Vocabulary

_INFIX: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.MatMult: "matmul",
    ast.Pow: "power",
}
_POWERS = {2: "square", 3: "cube"}
_WITH_ZERO = {"max": "relu", "min": "min_zero"}
_CONSTANTS = {1: "one", 2: "two"}
_MOST_CHARACTERS = 2000


def parse(text: str, words: Vocabulary) -> Program:
    """The program that a text writes.

    Args:
        text: names of operands, calls of operations by name, + - * / @ ** and "beta"; max(x, 0) and min(x, 0)
            are the unary operations relu and min_zero.
        words: vocabulary of the names.

    Raises:
        ValueError: if the text cannot be read, or names what the vocabulary lacks.
    """
    if len(text) > _MOST_CHARACTERS:
        raise ValueError(f"The expression has {len(text)} characters: write one of at most {_MOST_CHARACTERS}.")
    try:
        body = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        place = getattr(error, "offset", None)
        where = f" from character {place} on" if place else ""
        raise ValueError(f"{text!r} is not an expression{where}: write one such as {_example(words)}.") from None
    try:
        return from_tree(_Reader(text, words).read(body), words)
    except RecursionError:
        raise ValueError("The expression is nested too deeply: write one of fewer levels.") from None


def _example(words: Vocabulary) -> str:
    first = words.operands[0].name
    return f"abs({first}) * {first}" if "abs" in words.unary_table else f"sign({first}) * {first}"


class _Reader:
    """Reads the nodes of one text."""

    def __init__(self, text: str, words: Vocabulary) -> None:
        self._text, self._words = text, words
        self._has_beta = "beta" in words.unary_table
        self._beta: Tree = ("beta", (words.operands[0].name,))

    def read(self, node: ast.expr) -> Tree:
        readers: dict[type, Callable[[ast.expr], Tree]] = {
            ast.Name: self._name,
            ast.Constant: self._constant,
            ast.UnaryOp: self._sign,
            ast.BinOp: self._infix,
            ast.Call: self._call,
        }
        if type(node) not in readers:
            raise self._unreadable(node)
        return readers[type(node)](node)

    def _unreadable(self, node: ast.expr) -> ValueError:
        part = ast.get_source_segment(self._text.strip(), node)
        return ValueError(f"{part!r} is not part of an expression: use operands, calls and + - * / @ **.")

    def _operation(self, name: str, *arguments: Tree) -> Tree:
        table = self._words.unary_table if len(arguments) == 1 else self._words.binary_table
        if name in ("identity", "left"):
            return arguments[0]
        if name not in table:
            raise plugins.unknown_name(f"{'unary' if len(arguments) == 1 else 'binary'} operation", name, table)
        return (name, *arguments)

    def _name(self, node: ast.expr) -> Tree:
        assert isinstance(node, ast.Name)
        if node.id == "beta" and self._has_beta:
            return self._beta
        if node.id not in self._words.operand_table:
            raise plugins.unknown_name("operand", node.id, self._words.operand_table)
        return (node.id,)

    def _constant(self, node: ast.expr) -> Tree:
        assert isinstance(node, ast.Constant)
        name = _CONSTANTS.get(node.value) if type(node.value) is int else None
        if name not in self._words.operand_table:
            raise ValueError(f"{node.value!r} is no operand here: use {', '.join(self._words.operand_table)}.")
        return (name,)

    def _sign(self, node: ast.expr) -> Tree:
        assert isinstance(node, ast.UnaryOp)
        if not isinstance(node.op, ast.USub):
            raise self._unreadable(node)
        return self._operation("negative", self.read(node.operand))

    def _infix(self, node: ast.expr) -> Tree:
        assert isinstance(node, ast.BinOp)
        if type(node.op) not in _INFIX:
            raise self._unreadable(node)
        exponent = node.right.value if isinstance(node.right, ast.Constant) else None
        power = _POWERS.get(exponent) if isinstance(node.op, ast.Pow) and isinstance(exponent, int) else None
        if power in self._words.unary_table:
            return self._operation(power, self.read(node.left))
        left, right = self.read(node.left), self.read(node.right)
        return with_beta(self._operation(_INFIX[type(node.op)], left, right))

    def _call(self, node: ast.expr) -> Tree:
        assert isinstance(node, ast.Call)
        if not isinstance(node.func, ast.Name) or node.keywords or len(node.args) not in (1, 2):
            raise self._unreadable(node)
        name, arguments = node.func.id, node.args
        last = arguments[-1]
        if name in _WITH_ZERO and len(arguments) == 2 and isinstance(last, ast.Constant) and last.value == 0:
            return self._operation(_WITH_ZERO[name], self.read(arguments[0]))
        return self._operation(name, *(self.read(argument) for argument in arguments))


def with_beta(tree: Tree) -> Tree:
    """A product or sum with beta as the unary operation that computes the same."""
    unary = {"multiply": "beta_times", "add": "beta_plus"}.get(tree[0])
    if unary is None or len(tree) != 3:
        return tree
    if tree[1][0] == "beta":
        return (unary, tree[2])
    return (unary, tree[1]) if tree[2][0] == "beta" else tree
