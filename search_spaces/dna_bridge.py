"""Between rows and `pg.DNA`: exact both ways, without PyGlove's validation of every node.

Both functions work on the decisions of a row: a list with one number or string per column, 0 where a gene
is inactive.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyglove as pg

from autoglyph.search_spaces.columns import Element, Layout, MultiChoice, Slot, unfold

Decisions = list[Any]
DnaBuilder = Callable[[Decisions, Any], Any]  # (decisions, symbolic parent) -> pg.DNA

_set = object.__setattr__
_EMPTY = pg.DNA(0)
_NO_VALUE = -1


def dna_builder(layout: Layout) -> Callable[[Decisions], Any]:
    """A function from decisions to a `pg.DNA` bound to its specification.

    The DNA equals what PyGlove would have made. Its nodes are copies of the state of one empty node, which
    costs a hundredth of PyGlove's construction.
    """
    root = pg.KeyPath()
    if len(layout.elements) == 1:
        build = _element_builder(layout.elements[0], root)
    else:
        build = _node_builder(root, layout.spec, _NO_VALUE, [_children_builders(layout.elements, root)])
    return lambda decisions: build(decisions, None)


def read_dna(layout: Layout, dna: Any) -> Decisions:
    """The decisions of a DNA.

    Raises:
        ValueError: if the DNA does not have the shape of the space, in one sentence.
    """
    decisions: Decisions = [0] * len(layout.slots)
    _read(layout.elements, [dna] if len(layout.elements) == 1 else _children(dna), decisions)
    return decisions


def _children(node: Any) -> list[Any]:
    return list(list.__iter__(dict.__getitem__(node.sym_init_args, "children")))


def _read(elements: Sequence[Element], nodes: Sequence[Any], decisions: Decisions) -> None:
    if len(elements) != len(nodes):
        raise ValueError(f"Expected {len(elements)} DNA nodes for {_names(elements)}, received {len(nodes)}.")
    for element, node in zip(elements, nodes, strict=True):
        if isinstance(element, MultiChoice):
            _read(element.slots, _children(node), decisions)
        else:
            _read_gene(element, node, decisions)


def _read_gene(slot: Slot, node: Any, decisions: Decisions) -> None:
    value, kind = dict.__getitem__(node.sym_init_args, "value"), slot.column.kind
    if kind == "custom":
        if not isinstance(value, str):
            raise ValueError(f"Expected a string for {slot.column.name}, received {value!r}.")
        decisions[slot.index] = value
    elif kind == "float":
        if not isinstance(value, (int, float)):
            raise ValueError(f"Expected a float for {slot.column.name}, received {value!r}.")
        decisions[slot.index] = float(value)
    else:
        if not isinstance(value, int) or not 0 <= value < slot.cardinality:
            wanted = f"a choice from 0 to {slot.cardinality - 1}"
            raise ValueError(f"Expected {wanted} for {slot.column.name}, received {value!r}.")
        decisions[slot.index] = value
        _read(unfold(slot.branches[value]), _children(node), decisions)


def _names(elements: Sequence[Element]) -> str:
    return ", ".join(str(element.spec.id) for element in elements) or "a space without decisions"


def _element_builder(element: Element, path: Any) -> DnaBuilder:
    if isinstance(element, MultiChoice):
        return _node_builder(path, element.spec, _NO_VALUE, [_children_builders(element.slots, path)])
    branches = [_children_builders(unfold(branch), path) for branch in element.branches]
    return _node_builder(path, element.spec, element.index, branches or [[]])


def _children_builders(elements: Sequence[Element], path: Any) -> list[DnaBuilder]:
    children = pg.KeyPath("children", path)
    return [_element_builder(element, pg.KeyPath(i, children)) for i, element in enumerate(elements)]


def _node_builder(path: Any, spec: Any, index: int, branches: list[list[DnaBuilder]]) -> DnaBuilder:
    """A builder of the DNA node at one place.

    Args:
        path: symbolic path of the node from the root of the DNA.
        spec: decision point, or the whole space for a root of several elements.
        index: column of the value of the node, negative if it has none.
        branches: builders of the children for each value of a choice; one list for the other kinds.
    """
    attributes = _EMPTY.sym_init_args
    node_state = dict(_EMPTY.__dict__, _sym_path=path, _spec=spec)
    attributes_state = dict(attributes.__dict__, _sym_path=path)
    children_state = dict(_EMPTY.children.__dict__, _sym_path=pg.KeyPath("children", path))
    metadata_state = dict(_EMPTY.metadata.__dict__, _sym_path=pg.KeyPath("metadata", path))
    userdata_type = type(_EMPTY.userdata)
    only_branch = branches[0] if len(branches) == 1 else None

    def build(decisions: Decisions, parent: Any) -> Any:
        node, box = object.__new__(pg.DNA), dict.__new__(pg.Dict)
        children, metadata = list.__new__(pg.List), dict.__new__(pg.Dict)
        value: Any = None if index < 0 else decisions[index]
        builders = branches[value] if only_branch is None else only_branch
        list.extend(children, [build_child(decisions, children) for build_child in builders])
        dict.update(box, value=value, children=children, metadata=metadata)
        _set(children, "__dict__", {**children_state, "_sym_parent": node})
        _set(metadata, "__dict__", {**metadata_state, "_sym_parent": node})
        _set(box, "__dict__", {**attributes_state, "_sym_parent": node})
        state = {
            **node_state,
            "_sym_attributes": box,
            "_sym_parent": parent,
            "_userdata": userdata_type(),
            "_cloneable_metadata_keys": set(),
            "_cloneable_userdata_keys": set(),
        }
        _set(node, "__dict__", state)
        return node

    return build
