"""A fingerprint of a space, so that no record is ever read with another space."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

import pyglove as pg

from autoglyph.search_spaces.columns import Element, Layout, MultiChoice, Slot

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_TOKEN = re.compile(r"\w+|[^\w\s]")


def digest(layout: Layout) -> str:
    """SHA-256 in hexadecimal of what the decisions of a space are, the same in every process.

    Locations, candidates as PyGlove displays them, constraints, bounds and scales count; names, hints and
    memory addresses do not.
    """
    text = json.dumps(_space(layout.elements), separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _space(elements: Sequence[Element]) -> list[Any]:
    return [_decisions(element) for element in elements]


def _decisions(element: Element) -> list[Any]:
    spec, where = element.spec, str(element.spec.location)
    if spec.is_numerical:
        return ["float", where, repr(spec.min_value), repr(spec.max_value), spec.scale]
    if not spec.is_categorical:
        return ["custom", where, spec.hyper_type]
    slot = element.slots[0] if isinstance(element, MultiChoice) else element
    constraints = [spec.num_choices, spec.distinct, spec.sorted] if spec.num_choices > 1 else [1]
    return ["choices", where, constraints, _candidates(slot), [_space(branch) for branch in slot.branches]]


def _candidates(slot: Slot) -> list[str]:
    literals = slot.spec.literal_values or range(slot.cardinality)
    return [_display(literal, None if slot.values is None else slot.values[i]) for i, literal in enumerate(literals)]


def _display(literal: Any, value: Any) -> str:
    """A candidate in text that is the same in every process.

    PyGlove's literal shows sets in the order of their hashes; candidates with sets are shown by their
    sorted words instead.
    """
    text = _ADDRESS.sub("", str(literal))
    if _contains_set(value):
        full = _ADDRESS.sub("", pg.format(value, compact=True, strip_object_id=True))
        text = " ".join(sorted(_TOKEN.findall(full)))
    return f"{type(literal).__name__}:{text}"


def _contains_set(value: Any) -> bool:
    if isinstance(value, (set, frozenset)):
        return True
    if isinstance(value, pg.Symbolic):
        return any(_contains_set(child) for child in value.sym_values())
    if isinstance(value, dict):
        return any(_contains_set(child) for child in value.values())
    return isinstance(value, (list, tuple)) and any(_contains_set(child) for child in value)
