"""Spaces of update rules of one to four groups, after Bello et al. 2017, and known rules.

A group reads any operand and any group before it: 17, 18 and 19 registers, 12 unary and 6 binary operations make
249,696, 7.0e10 and 2.2e16 rules. Operands of the paper are bias-corrected averages; the update of Lion, and those of
SGD with momentum and of RMSProp as Keras has them, read others, which the vocabulary "optimizer_extended" adds.
"lion-equal-betas" is Lion with both decays 0.9, over the operands of the paper.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from autoglyph.search_spaces.expressions.activations import Tokens, program, units_space
from autoglyph.search_spaces.expressions.program import Program
from autoglyph.search_spaces.expressions.vocabulary import (
    OPTIMIZER,
    OPTIMIZER_EXTENDED,
    Vocabulary,
)
from autoglyph.search_spaces.space import SearchSpace

_SIGNS: Tokens = ("identity", "sign_g", "identity", "sign_m", "multiply")


def _alone(unary: str, operand: str) -> Tokens:
    """One term; the right one is not computed, and the same."""
    return (unary, operand, unary, operand, "left")


_INDIVIDUALS: dict[str, list[Tokens]] = {
    "sgd": [_alone("identity", "g")],
    "momentum": [_alone("identity", "m")],
    "rmsprop": [("identity", "g", "sqrt_abs", "v", "divide")],
    "adam": [("identity", "m", "sqrt_abs", "v", "divide")],
    "sign-sgd": [_alone("identity", "sign_g")],
    "lion-equal-betas": [_alone("sign", "m")],
    "m-exp-v": [("identity", "m", "exp", "v", "multiply")],
    "g-plus-drop-m": [("identity", "g", "drop_3", "m", "add")],
    "powersign": [_SIGNS, ("identity", "g", "exp", "u1", "multiply")],
    "addsign": [
        _SIGNS,
        ("identity", "one", "identity", "u1", "add"),
        ("identity", "g", "identity", "u2", "multiply"),
    ],
}


def _decayed(decay: str) -> dict[str, list[Tokens]]:
    return {
        f"powersign-{decay}": [
            _SIGNS,
            ("identity", decay, "identity", "u1", "multiply"),
            ("identity", "g", "exp", "u2", "multiply"),
        ],
        f"addsign-{decay}": [
            _SIGNS,
            ("identity", decay, "identity", "u1", "multiply"),
            ("identity", "one", "identity", "u2", "add"),
            ("identity", "g", "identity", "u3", "multiply"),
        ],
    }


_DECAYED = {name: tokens for decay in ("ld", "cd", "rd") for name, tokens in _decayed(decay).items()}
_EXTENDED: dict[str, list[Tokens]] = {
    "momentum": [_alone("identity", "velocity")],
    "rmsprop": [("identity", "g", "sqrt_abs", "mean_square", "divide")],
    "lion": [_alone("sign", "blend")],
}


def optimizer_space(groups: int, words: Vocabulary = OPTIMIZER) -> SearchSpace:
    """The space of update rules of 1 to 4 groups.

    Known individuals are those of this many groups; "momentum" and "rmsprop" are those of the paper, without bias
    correction in the extended vocabulary.

    Args:
        groups: groups of five tokens.
        words: the operands of the paper, with decays of the sign term, or the extended ones.
    """
    all_known = _INDIVIDUALS | (_DECAYED if "ld" in words.operand_table else {})
    if words is OPTIMIZER_EXTENDED:
        all_known |= _EXTENDED
    known: dict[str, Callable[[], Program]] = {
        name: functools.partial(program, tokens, words) for name, tokens in all_known.items() if len(tokens) == groups
    }
    suffix = words.name.removeprefix(OPTIMIZER.name)
    name = "optimizer_rule" + (f"_{groups}" if groups > 1 else "") + suffix
    plural = "s" if groups > 1 else ""
    addition = {"": "", "_decays": " with decays"}.get(suffix, " over further averages, Lion's among them")
    return SearchSpace(
        name,
        functools.partial(units_space, words, groups),
        individuals=known,
        description=f"Update rules of {groups} group{plural}{addition} (Neural Optimizer Search)",
    )
