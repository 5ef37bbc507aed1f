"""Programs as text that can be read back, and as LaTeX."""

from __future__ import annotations

from autoglyph.search_spaces.expressions.program import Program
from autoglyph.search_spaces.expressions.tree import Tree, to_tree
from autoglyph.search_spaces.expressions.vocabulary import Vocabulary

_CONSTANTS = {"one": "1", "two": "2"}
_LOOSE = {"add", "subtract", "multiply", "divide", "matmul", "negative", "beta_times", "beta_plus", "mix", "gate"}


def to_text(program: Program) -> str:
    """The program as an expression in the syntax of Python, such as "gate(beta*x, x)"."""
    return tree_text(to_tree(program), program.words)


def tree_text(tree: Tree, words: Vocabulary) -> str:
    """A tree as an expression in the syntax of Python."""
    name, *parts = tree
    if not parts:
        return _CONSTANTS.get(name, str(name))
    operation = (words.unary_table if len(parts) == 1 else words.binary_table)[name]
    is_call = not operation.text
    return operation.written(*(_part(part, words, is_call) for part in parts))


def _part(tree: Tree, words: Vocabulary, in_call: bool) -> str:
    text = tree_text(tree, words)
    is_closed = len(tree) == 1 or tree[0] == "beta"
    if len(tree) > 1 and not is_closed:
        operation = (words.unary_table if len(tree) == 2 else words.binary_table)[tree[0]]
        is_closed = not operation.text
    return text if in_call or is_closed else f"({text})"


def to_latex(program: Program) -> str:
    """The program as LaTeX for math mode."""
    return _latex(to_tree(program), program.words)


def _latex(tree: Tree, words: Vocabulary) -> str:
    name, *parts = tree
    if not parts:
        return words.operand_table[name].latex
    operation = (words.unary_table if len(parts) == 1 else words.binary_table)[name]
    written = [_latex(part, words) for part in parts]
    for i, part in enumerate(parts):
        is_enclosed = rf"\left(@{i}" in operation.latex or name in ("divide", "exp", "sqrt", "sqrt_abs", "abs")
        is_tall = name == "square" or name == "cube" or name == "transpose" or name == "power"
        if part[0] in _LOOSE or (is_tall and len(part) > 1):
            written[i] = written[i] if is_enclosed else rf"\left({written[i]}\right)"
    return operation.in_latex(*written)
