"""Simplification and a canonical form: rewriting that changes no value, NaN, infinity and rounding included.

So x - x is not 0 (it is NaN at infinity), x / x is not 1 (a divisor has epsilon added), and a + (b + c) is not
(a + b) + c. Derivatives may differ at isolated points where a kink is.
"""

from __future__ import annotations

from autoglyph.search_spaces.expressions.parser import with_beta
from autoglyph.search_spaces.expressions.program import Program
from autoglyph.search_spaces.expressions.text import tree_text
from autoglyph.search_spaces.expressions.tree import Tree, from_tree, to_tree
from autoglyph.search_spaces.expressions.vocabulary import Vocabulary

_EVEN = {"abs", "square", "cos", "cosh", "sinc", "gaussian", "log_abs", "sqrt_abs"}
_ODD = {"beta_times", "cube", "sin", "sinh", "tanh", "asinh", "atan", "erf", "sign"} | {
    f"clip_{size}" for size in ("1e5", "1e4", "1e3", "001", "01", "1")
}
_NEVER_NEGATIVE = {
    "abs",
    "square",
    "sqrt",
    "exp",
    "cosh",
    "relu",
    "sigmoid",
    "softplus",
    "gaussian",
    "sqrt_abs",
    "step",
}
_IDEMPOTENT = {"relu", "min_zero", "abs", "sign", "clip_1e5", "clip_1e4", "clip_1e3", "clip_001", "clip_01", "clip_1"}
_KEEP_SIGN = _IDEMPOTENT - {"relu", "min_zero", "abs", "sign"}


def simplify(program: Program) -> Program:
    """A program of the same value without needless operations, unread units or repetition."""
    return from_tree(_rewrite(to_tree(program), program.words), program.words)


def canonical_text(program: Program) -> str:
    """A text that is equal for programs that differ in order and needless operations alone.

    Equal texts compute equal values; different texts may too, which a fingerprint tells.
    """
    words = program.words
    return tree_text(_sorted(_rewrite(_without_gates(to_tree(program)), words), words), words)


def _without_gates(tree: Tree) -> Tree:
    """Gates as products with a sigmoid, which compute the same."""
    name, *parts = tree
    parts = [_without_gates(part) for part in parts]
    return ("multiply", ("sigmoid", parts[0]), parts[1]) if name == "gate" else (name, *parts)


def _rewrite(tree: Tree, words: Vocabulary) -> Tree:
    name, *parts = tree
    if not parts:
        return tree
    parts = [_rewrite(part, words) for part in parts]
    return _unary(name, parts[0], words) if len(parts) == 1 else _binary(name, parts[0], parts[1], words)


def _unary(name: str, inner: Tree, words: Vocabulary) -> Tree:
    head = inner[0] if len(inner) == 2 else None
    if name == "beta":
        return ("beta", (words.operands[0].name,))
    if name == "negative" and head == "negative":
        return tuple(inner[1])
    if name == "transpose" and head == "transpose":
        return tuple(inner[1])
    if name in _EVEN and head in ("negative", "abs"):
        return _unary(name, inner[1], words)
    if name in _ODD and head == "negative":
        return _unary("negative", _unary(name, inner[1], words), words)
    if name == "beta_plus" and head == "negative":
        return ("subtract", ("beta", (words.operands[0].name,)), inner[1])
    if name in _IDEMPOTENT and head == name:
        return inner
    if name in ("abs", "relu") and head in _NEVER_NEGATIVE:
        return inner
    if name == "sign" and head in _KEEP_SIGN:
        return _unary("sign", inner[1], words)
    return (name, inner)


def _binary(name: str, left: Tree, right: Tree, words: Vocabulary) -> Tree:
    def is_negative(tree: Tree) -> bool:
        return len(tree) == 2 and tree[0] == "negative"

    if name in ("max", "min") and left == right:
        return left
    unary = with_beta((name, left, right))
    if len(unary) == 2:
        return _unary(unary[0], unary[1], words)
    if name == "multiply" and is_negative(left):
        return _unary("negative", _binary("multiply", left[1], right, words), words)
    if name == "multiply" and is_negative(right):
        return _unary("negative", _binary("multiply", left, right[1], words), words)
    if name in ("exp_square", "exp_abs") and is_negative(left) and is_negative(right):
        return _binary(name, left[1], right[1], words)
    if name == "add" and is_negative(right):
        return _binary("subtract", left, right[1], words)
    if name == "add" and is_negative(left):
        return _binary("subtract", right, left[1], words)
    if name == "subtract" and is_negative(left) and not is_negative(right):
        return _unary("negative", _binary("add", left[1], right, words), words)
    if name == "subtract" and is_negative(right):
        return _binary("add", left, right[1], words)
    if name == "multiply":
        for one, other in ((left, right), (right, left)):
            if one == ("one",):
                return other
    return (name, left, right)


def _sorted(tree: Tree, words: Vocabulary) -> Tree:
    """Arguments of commutative operations in order."""
    name, *parts = tree
    parts = [_sorted(part, words) for part in parts]
    if len(parts) == 2 and words.binary_table[name].commutative:
        parts.sort(key=repr)
    return (name, *parts)
