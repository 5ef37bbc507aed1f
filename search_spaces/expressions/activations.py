"""Spaces of activation functions of one to three core units, after Ramachandran et al. 2017 (Swish).

A unit reads x or any unit before it, so that the spaces have 6,250, 6,250 x 25,000 and 6,250 x 25,000 x 56,250
points; which registers later units of the paper read is recalled, and this the choice of the project.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import pyglove as pg

from autoglyph.search_spaces.expressions.program import Program, Term, Unit, register_names, unit
from autoglyph.search_spaces.expressions.vocabulary import ACTIVATION, Vocabulary
from autoglyph.search_spaces.space import SearchSpace

Tokens = tuple[str, str, str, str, str]
_INDIVIDUALS: dict[str, list[Tokens]] = {
    "relu": [("relu", "x", "relu", "x", "max")],
    "swish": [("beta_times", "x", "identity", "x", "gate")],
    "silu": [("identity", "x", "identity", "x", "gate")],
    "tanh": [("tanh", "x", "tanh", "x", "max")],
    "softplus": [("softplus", "x", "softplus", "x", "max")],
    "max-x-sigmoid": [("identity", "x", "sigmoid", "x", "max")],
    "cos-minus-x": [("cos", "x", "identity", "x", "subtract")],
    "min-x-sin": [("identity", "x", "sin", "x", "min")],
    "max-x-tanh": [("identity", "x", "tanh", "x", "max")],
    "sinc-plus-x": [("sinc", "x", "identity", "x", "add")],
    "atan2-minus-x": [("atan", "x", "atan", "x", "multiply"), ("identity", "u1", "identity", "x", "subtract")],
    "x-asinh2": [("asinh", "x", "asinh", "x", "multiply"), ("identity", "x", "identity", "u1", "multiply")],
    "elu-plus-one": [("identity", "x", "min_zero", "x", "min"), ("exp", "u1", "relu", "x", "add")],
    "elu": [
        ("identity", "x", "min_zero", "x", "min"),
        ("exp", "u1", "relu", "x", "add"),
        ("identity", "u2", "beta", "x", "subtract"),
    ],
}


def program(units: Sequence[Tokens], words: Vocabulary) -> Program:
    """A program from the tokens of its units."""
    return Program(units=[unit(*tokens) for tokens in units], vocabulary=words.name)


def units_space(words: Vocabulary, units: int) -> Program:
    """All programs of that many units over operands and earlier units, as a hyper value."""
    found = []
    for i in range(units):
        registers = register_names(words, i)
        terms = [Term(unary=pg.oneof(list(words.unaries)), register=_choice(registers)) for _ in range(2)]
        found.append(Unit(left=terms[0], right=terms[1], binary=pg.oneof(list(words.binaries))))
    return Program(units=found, vocabulary=words.name)


def _choice(names: list[str]) -> Any:
    return names[0] if len(names) == 1 else pg.oneof(names)


def activation_space(units: int) -> SearchSpace:
    """The space of activation functions of 1, 2 or 3 core units.

    Known individuals are those of this many units; "elu" is ELU where beta is 1.
    """
    known: dict[str, Callable[[], Program]] = {
        name: functools.partial(program, tokens, ACTIVATION)
        for name, tokens in _INDIVIDUALS.items()
        if len(tokens) == units
    }
    return SearchSpace(
        "activation" if units == 1 else f"activation_{units}",
        functools.partial(units_space, ACTIVATION, units),
        individuals=known,
        description=f"Activation functions of {units} core unit{'s' if units > 1 else ''} (Swish's space)",
    )
