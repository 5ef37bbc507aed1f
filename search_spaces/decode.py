"""Rows to real objects: a fast decoder that proves itself against PyGlove's before it is used."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import pyglove as pg
from pyglove.core.symbolic.base import symbolic_transform_fn
from pyglove.core.typing import ensure_value_spec

from autoglyph.search_spaces.columns import Element, MultiChoice, Slot
from autoglyph.search_spaces.stamping import Decisions, Part, constant, node_part, placed

Hypers = dict[Any, tuple[Element, Any]]  # relative path -> (element, hyper value)

_ROOT = pg.KeyPath()


def compile_decoder(template: Any, elements: Sequence[Element]) -> Callable[[Decisions], Any] | None:
    """A function from decisions to what `template.decode` returns, or None where there is no fast way.

    Values derived from others take PyGlove's way, since they depend on the finished tree.

    Args:
        template: the `pg.template`.
        elements: its top-level decisions.
    """
    if pg.contains(template.value, type=pg.hyper.DerivedValue):
        return None
    return _value_part(template.value, None, _ROOT, _hypers(template, elements), _ROOT).build


def agree(fast: Any, slow: Any) -> bool:
    """Whether a stamped individual equals PyGlove's and its tree hangs together."""
    if type(fast) is not type(slow) or not pg.eq(fast, slow):
        return False
    roots = fast if type(fast) is list else [fast]
    return all(_is_consistent(root) for root in roots)


def _is_consistent(node: Any) -> bool:
    if not isinstance(node, pg.Symbolic):
        return True
    for key, child in node.sym_items():
        if not isinstance(child, pg.Symbolic):
            continue
        if child.sym_parent is not node or child.sym_path != pg.KeyPath(key, node.sym_path):
            return False
        if not _is_consistent(child):
            return False
    return True


def _hypers(template: Any, elements: Sequence[Element]) -> Hypers:
    places = zip(elements, template.hyper_primitives, strict=True)
    return {path: (element, hyper) for element, (path, hyper) in places}


def _value_part(value: Any, field: Any, path: Any, hypers: Hypers, relative: Any) -> Part:
    """How to build a node of a template.

    Args:
        value: the node.
        field: PyGlove's specification of the place it goes to, None if anything may be there.
        path: where it will live.
        hypers: the hyper values of the template, by path within the template.
        relative: path of the node within the template.
    """
    if relative in hypers:
        return _hyper_part(*hypers[relative], field, path)
    if not isinstance(value, pg.Symbolic):
        shareable = copy.deepcopy(value) is value
        return constant(value) if shareable else Part(lambda decisions: copy.deepcopy(value), symbolic=False)
    if isinstance(value, (pg.hyper.HyperPrimitive, pg.symbolic.Inferential)):
        return Part(lambda decisions: placed(value.clone(deep=True), path))
    keys = list(value.specified_args if isinstance(value, pg.Functor) else value.sym_keys())
    parts = [
        _value_part(
            value.sym_getattr(key),
            value.sym_attr_field(key),
            pg.KeyPath(key, path),
            hypers,
            pg.KeyPath(key, relative),
        )
        for key in keys
    ]
    return node_part(value, keys, parts, path)


def _hyper_part(element: Element, hyper: Any, field: Any, path: Any) -> Part:
    if isinstance(hyper, pg.hyper.ManyOf):
        return _many_part(element, hyper, field, path)
    assert isinstance(element, Slot)
    index = element.index
    if element.column.kind == "float":
        return Part(lambda decisions: decisions[index], symbolic=False)
    if element.column.kind == "custom":
        return Part(lambda decisions: _custom_value(hyper, decisions[index], field, path))
    return _choice_part(element, hyper, field, path)


def _custom_value(hyper: Any, string: str, field: Any, path: Any) -> Any:
    value = hyper.custom_decode(pg.DNA(string))
    return value if path == _ROOT else placed(_checked(pg.from_json(value), field, path), path)


def _many_part(element: Element, hyper: Any, field: Any, path: Any) -> Part:
    slots = element.slots if isinstance(element, MultiChoice) else [element]
    if path == _ROOT:  # PyGlove returns a plain list of separate values
        builders = [_choice_part(slot, hyper, None, path).build for slot in slots]
        return Part(lambda decisions: [build(decisions) for build in builders], symbolic=False)
    spec = field and ensure_value_spec(field.value, pg.typing.List(pg.typing.Any()), path)
    prototype = pg.List()
    prototype._value_spec = spec
    item_field = spec.element if spec else None
    parts = [_choice_part(slot, hyper, item_field, pg.KeyPath(i, path)) for i, slot in enumerate(slots)]
    return node_part(prototype, range(len(parts)), parts, path)


def _choice_part(slot: Slot, hyper: Any, field: Any, path: Any) -> Part:
    candidates = zip(hyper.candidate_templates, slot.branches, strict=True)
    parts = [_candidate_part(template, branch, field, path) for template, branch in candidates]
    index = slot.index
    if not any(part.symbolic for part in parts) and not any(slot.branches):
        values = [part.build([]) for part in parts]
        return Part(lambda decisions: values[decisions[index]], symbolic=False)
    builders = [part.build for part in parts]
    symbolic = any(part.symbolic for part in parts)
    return Part(lambda decisions: builders[decisions[index]](decisions), symbolic)


def _candidate_part(template: Any, branch: Sequence[Element], field: Any, path: Any) -> Part:
    value = template.value
    if not isinstance(value, pg.Symbolic):
        return constant(_checked(value, field, path))
    value = _checked(value.clone(deep=True), field, path)
    if not isinstance(value, pg.Symbolic):
        return constant(value)
    return _value_part(value, field, path, _hypers(template, branch), _ROOT)


def _checked(value: Any, field: Any, path: Any) -> Any:
    """The value after PyGlove's own type check and conversion for its place."""
    if field is None:
        return value
    return field.apply(value, transform_fn=symbolic_transform_fn(False), root_path=path)
