"""Symbolic objects rebuilt by copying the state of a node that PyGlove validated once.

Constructing a `pg.Object` costs PyGlove a check of every field, every time. Where only the children differ
from one object to the next and each possible child was checked beforehand, a copy of the node's private
state around new children is the same object for a hundredth of the time. This relies on the internals of
PyGlove 0.4; whoever uses it must compare some results with PyGlove's own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyglove as pg

Decisions = list[Any]

_set = object.__setattr__
_NO_CACHES: dict[str, Any] = {
    "_sym_parent": None,
    "_sym_puresymbolic": None,
    "_sym_missing_values": None,
    "_sym_nondefault_values": None,
}
_TRUSTED_PACKAGES = ("builtins", "pyglove", "abc", "typing")


class _Bare(pg.Object):
    """An object with no state of its own."""


_OBJECT_STATE = set(_Bare().__dict__) - {"_sym_attributes"}


@dataclass(frozen=True)
class Part:
    """How to build one value of an individual.

    Attributes:
        build: decisions -> value.
        symbolic: whether the value may be a node of the symbolic tree, which needs a parent.
    """

    build: Callable[[Decisions], Any]
    symbolic: bool = True


def constant(value: Any) -> Part:
    """A value that never changes and is never copied."""
    return Part(lambda decisions: value, symbolic=False)


def is_stampable(cls: Any) -> bool:
    """Whether constructing the class is PyGlove's generated __init__ and `_on_init`, and nothing else."""
    hooks = ("_on_parent_change", "_on_path_change")
    return (
        getattr(cls.__init__, "__sym_generated_init__", False)
        and not issubclass(cls, pg.Functor)
        and all(getattr(cls, hook) is getattr(pg.Object, hook) for hook in hooks)
        and all(_constructs_nothing(base) for base in cls.__mro__)
    )


def _constructs_nothing(base: type) -> bool:
    trusted = base.__module__.split(".")[0] in _TRUSTED_PACKAGES
    return issubclass(base, pg.Symbolic) or "__init__" not in base.__dict__ or trusted


def node_part(prototype: Any, keys: Sequence[Any], parts: Sequence[Part], path: Any) -> Part:
    """A node like `prototype` with other children.

    Args:
        prototype: a valid `pg.Object`, `pg.Dict` or `pg.List`.
        keys: names of the children, in order.
        parts: how to build the children.
        path: symbolic path where the node will live.
    """
    if isinstance(prototype, pg.List):
        return Part(_list_builder(prototype, parts, path))
    if isinstance(prototype, pg.Dict):
        return Part(_dict_builder(prototype, keys, parts, path))
    if is_stampable(type(prototype)):
        return Part(_object_builder(prototype, keys, parts, path))
    return Part(_constructor(type(prototype), keys, parts, path))


def placed(value: Any, path: Any) -> Any:
    """The value, copied if it has a parent already, told its symbolic path."""
    if isinstance(value, pg.Symbolic):
        value = value if value.sym_parent is None else value.clone()
        value.sym_setpath(path)
    return value


def _fresh_state(node: Any, path: Any) -> dict[str, Any]:
    return {**node.__dict__, **_NO_CACHES, "_sym_path": path}


def _symbolic_indices(parts: Sequence[Part]) -> list[int]:
    return [i for i, part in enumerate(parts) if part.symbolic]


def _list_builder(prototype: Any, parts: Sequence[Part], path: Any) -> Callable[[Decisions], Any]:
    cls, state = type(prototype), _fresh_state(prototype, path)
    builders, symbolic = [part.build for part in parts], _symbolic_indices(parts)

    def build(decisions: Decisions) -> Any:
        node = list.__new__(cls)
        values = [build_child(decisions) for build_child in builders]
        list.extend(node, values)
        _set(node, "__dict__", {**state})
        for i in symbolic:
            _adopt(values[i], node)
        return node

    return build


def _dict_builder(prototype: Any, keys: Sequence[Any], parts: Sequence[Part], path: Any) -> Callable[[Decisions], Any]:
    cls, state = type(prototype), _fresh_state(prototype, path)
    builders, symbolic = [part.build for part in parts], _symbolic_indices(parts)

    def build(decisions: Decisions) -> Any:
        node = dict.__new__(cls)
        values = [build_child(decisions) for build_child in builders]
        dict.update(node, zip(keys, values, strict=True))
        _set(node, "__dict__", {**state})
        for i in symbolic:
            _adopt(values[i], node)
        return node

    return build


def _object_builder(
    prototype: Any, keys: Sequence[Any], parts: Sequence[Part], path: Any
) -> Callable[[Decisions], Any]:
    cls, attributes = type(prototype), prototype.sym_init_args
    own_state = {key: value for key, value in prototype.__dict__.items() if key in _OBJECT_STATE}
    state = {**own_state, **_NO_CACHES, "_sym_path": path}
    attributes_cls, attributes_state = type(attributes), _fresh_state(attributes, path)
    builders, symbolic = [part.build for part in parts], _symbolic_indices(parts)
    on_init = cls._on_init

    def build(decisions: Decisions) -> Any:
        node, box = object.__new__(cls), dict.__new__(attributes_cls)
        values = [build_child(decisions) for build_child in builders]
        dict.update(box, zip(keys, values, strict=True))
        _set(box, "__dict__", {**attributes_state, "_sym_parent": node})
        _set(node, "__dict__", {**state, "_sym_attributes": box})
        for i in symbolic:
            _adopt(values[i], node)
        on_init(node)
        return node

    return build


def _constructor(cls: Any, keys: Sequence[Any], parts: Sequence[Part], path: Any) -> Callable[[Decisions], Any]:
    builders = [part.build for part in parts]

    def build(decisions: Decisions) -> Any:
        values = [build_child(decisions) for build_child in builders]
        return placed(cls(**dict(zip(keys, values, strict=True))), path)

    return build


def _adopt(value: Any, parent: Any) -> None:
    cls: Any = type(value)
    _adopter(cls)(value, parent)


@functools.cache
def _adopter(cls: Any) -> Callable[[Any, Any], None]:
    """How a child of this class is told its parent."""
    if not issubclass(cls, pg.Symbolic):
        return lambda value, parent: None
    if issubclass(cls, pg.Object) and cls._on_parent_change is not pg.Object._on_parent_change:
        return lambda value, parent: value.sym_setparent(parent)
    return lambda value, parent: _set(value, "_sym_parent", parent)
