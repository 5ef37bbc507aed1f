"""Spaces of back-propagation rules of one or two units in which every point is legal, and known rules.

Legality is built in, rather than a test that refuses most points: a decision among the forms of a unit, elementwise
or a product of matrices over one of the inner dimensions, leaves its terms only operands of the shape wanted, or of
the transposed shape under "transpose". So that random points, mutants and crossovers are legal rules. Of two units
the first makes one of `FIRST_SHAPES`, and the second may read it wherever a term of that shape is wanted.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import pyglove as pg

from autoglyph.search_spaces.expressions.activations import Tokens, program
from autoglyph.search_spaces.expressions.program import Program, Term, Unit
from autoglyph.search_spaces.expressions.vocabulary import BACKPROP, Shape
from autoglyph.search_spaces.space import SearchSpace

RESULT: Shape = ("batch", "units")
"""The shape of the error of a layer."""
FIRST_SHAPES: tuple[Shape, ...] = (
    RESULT,
    ("batch", "next"),
    ("batch", "outputs"),
    ("units", "next"),
    ("units", "outputs"),
)
_INNER = ("batch", "units", "next", "outputs")
_UNARIES = [name for name in BACKPROP.unaries if BACKPROP.unary_table[name].typing == "same"]
_BINARIES = [name for name in BACKPROP.binaries if name != "matmul"]
_Registers = Mapping[str, Shape]


def _choice(candidates: list[Any]) -> Any:
    return candidates[0] if len(candidates) == 1 else pg.oneof(candidates)


def _term(shape: Shape, registers: _Registers) -> Any:
    """Terms of a shape as a hyper value, None where there are none."""
    same = [name for name, has in registers.items() if has == shape]
    turned = [name for name, has in registers.items() if has == (shape[1], shape[0])]
    forms: list[Any] = []
    if same:
        forms.append(Term(unary=pg.oneof(_UNARIES), register=_choice(same)))
    if turned:
        forms.append(Term(unary="transpose", register=_choice(turned)))
    return _choice(forms) if forms else None


def _unit(shape: Shape, registers: _Registers) -> Any:
    """Units that make a shape as a hyper value."""
    forms: list[Any] = []
    left, right = _term(shape, registers), _term(shape, registers)
    if left is not None:
        forms.append(Unit(left=left, right=right, binary=pg.oneof(_BINARIES)))
    for inner in _INNER:
        left, right = _term((shape[0], inner), registers), _term((inner, shape[1]), registers)
        if left is not None and right is not None:
            forms.append(Unit(left=left, right=right, binary="matmul"))
    return _choice(forms)


def _rules(units: int) -> Any:
    operands: dict[str, Shape] = {each.name: each.shape for each in BACKPROP.operands if each.shape is not None}
    if units == 1:
        return Program(units=[_unit(RESULT, operands)], vocabulary=BACKPROP.name)
    pairs = [pg.List([_unit(shape, operands), _unit(RESULT, {**operands, "u1": shape})]) for shape in FIRST_SHAPES]
    return Program(units=pg.oneof(pairs), vocabulary=BACKPROP.name)


_PRODUCT = "multiply"
_INDIVIDUALS: dict[str, list[Tokens]] = {
    "backprop": [("identity", "g_bp", "identity", "g_bp", "left")],
    "feedback-alignment": [("identity", "g_fa", "identity", "g_fa", "left")],
    "direct-feedback-alignment": [("identity", "g_dfa", "identity", "g_dfa", "left")],
    "normalized-backprop": [("norm_rows_2", "g_bp", "norm_rows_2", "g_bp", "left")],
    "min-norm-clip": [("norm_rows_2", "g_bp", "clip_1", "g_bp", "min")],
}


def _from_weights(matrix: str) -> list[Tokens]:
    return [("identity", "b_next", "transpose", matrix, "matmul"), ("identity", "u1", "identity", "slope", _PRODUCT)]


_INDIVIDUALS |= {
    "backprop-from-weights": _from_weights("w"),
    "sign-symmetry": _from_weights("sign_w"),
    "random-sign-symmetry": _from_weights("s"),
    "feedback-alignment-from-weights": _from_weights("r"),
    "direct-feedback-alignment-from-weights": [
        ("identity", "b_last", "transpose", "d", "matmul"),
        ("identity", "u1", "identity", "slope", _PRODUCT),
    ],
}


def backprop_space(units: int) -> SearchSpace:
    """The space of legal rules of 1 or 2 units; known individuals are those of this many units."""
    known: dict[str, Callable[[], Program]] = {
        name: functools.partial(program, tokens, BACKPROP)
        for name, tokens in _INDIVIDUALS.items()
        if len(tokens) == units
    }
    return SearchSpace(
        "backprop_rule" if units == 1 else f"backprop_rule_{units}",
        functools.partial(_rules, units),
        individuals=known,
        description=f"Legal back-propagation rules of {units} unit{'s' if units > 1 else ''} (Backprop Evolution)",
    )
