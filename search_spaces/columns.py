"""Decision points as columns: the layout of a population array, compiled from a `pg.DNASpec`.

There is one column per decision point, in the depth-first order of `spec.decision_points`. A sub-space is
therefore a contiguous run of columns, and a gene whose ancestors did not choose its sub-space is inactive.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import pyglove as pg

ColumnKind = Literal["choice", "float", "custom"]
Candidate = int | float | str | bool | None

_PLAIN = (bool, int, float, str, type(None))


@dataclass(frozen=True)
class Column:
    """What one column of a row means.

    Attributes:
        name: where the decision is made, as PyGlove writes it: "stages[2].kernel", or "head[=1/3].units"
            for a decision that exists only when "head" takes the second of its three candidates.
        kind: a choice among candidates, a float within bounds, or a custom decision (a string).
        candidates: what may be chosen: plain values as they are, others as PyGlove displays them; empty
            unless a choice.
        bounds: smallest and largest value of a float; None for the other kinds.
        parent: column of the choice on which this decision depends, -1 if it is always made.
        parent_value: candidate that the parent must have chosen for this decision to be made.
    """

    name: str
    kind: ColumnKind
    candidates: tuple[Candidate, ...] = ()
    bounds: tuple[float, float] | None = None
    parent: int = -1
    parent_value: int = -1


@dataclass(eq=False)
class Slot:
    """A gene in the tree of decisions, with the sub-spaces of its candidates.

    Attributes:
        index: its column.
        column: its public description.
        spec: PyGlove's decision point.
        values: the candidates themselves; None if the space is a bare specification.
        depth: how many choices it depends on.
        branches: elements of the sub-space of each candidate; empty unless a choice.
        end: one past the last column of its sub-spaces.
    """

    index: int
    column: Column
    spec: Any
    values: list[Any] | None
    depth: int
    branches: list[list[Element]] = field(default_factory=list)
    end: int = 0

    @property
    def cardinality(self) -> int:
        """How many candidates a choice has, 0 for the other kinds."""
        return len(self.column.candidates)

    @property
    def keys(self) -> tuple[Any, ...]:
        """Where the decision appears in a value of the space, conditions left out."""
        return tuple(key for key in self.spec.id.keys if not isinstance(key, pg.geno.ConditionalKey))


@dataclass(eq=False)
class MultiChoice:
    """Several choices among the same candidates, `pg.manyof` or `pg.permutate`.

    Attributes:
        spec: PyGlove's decision point.
        slots: one gene per choice, their sub-spaces equally shaped.
    """

    spec: Any
    slots: list[Slot]

    @property
    def distinct(self) -> bool:
        """Whether no candidate may be chosen twice."""
        return bool(self.spec.distinct)

    @property
    def sorted(self) -> bool:
        """Whether choices must be in the order of the candidates."""
        return bool(self.spec.sorted)

    @property
    def constrained(self) -> bool:
        """Whether the choices depend on one another."""
        return self.distinct or self.sorted

    @property
    def cardinality(self) -> int:
        """How many candidates there are."""
        return self.slots[0].cardinality

    @property
    def start(self) -> int:
        """First column."""
        return self.slots[0].index

    @property
    def end(self) -> int:
        """One past the last column."""
        return self.slots[-1].end

    @property
    def width(self) -> int:
        """Columns of one choice with its sub-spaces."""
        return self.slots[0].end - self.slots[0].index

    @property
    def indices(self) -> list[int]:
        """Columns of the choices themselves."""
        return [slot.index for slot in self.slots]


Element = Slot | MultiChoice


@dataclass(frozen=True)
class Node:
    """A node of the DNA tree that a mutation can pick: the columns [start, end) are drawn anew.

    Attributes:
        element: the decisions to draw, with everything below them.
        start: first column.
        end: one past the last column.
        constraint: the multi-choice that the node is one choice of, if its choices are constrained.
    """

    element: Element
    start: int
    end: int
    constraint: MultiChoice | None


class _Place(NamedTuple):
    """Where in the tree of decisions a sub-space is: under which candidate of which choice."""

    parent: int = -1
    parent_value: int = -1
    depth: int = 0


class Layout:
    """The tree of decisions of a space and its columns.

    Args:
        spec: the space.
        template: the `pg.template` that the specification belongs to; None for a bare specification.

    Attributes:
        spec: the space.
        elements: independent decisions at the top level.
        slots: every gene, by column.
        multi_choices: every multi-choice, outer before inner.
        nodes: what a mutation can pick, in the depth-first order of the DNA tree.
    """

    def __init__(self, spec: pg.DNASpec, template: Any = None) -> None:
        self.spec = spec
        self.slots: list[Slot] = []
        self.multi_choices: list[MultiChoice] = []
        self.nodes: list[Node] = []
        if spec.is_space:
            self.elements = self._subspace(spec, template, _Place())
        else:
            self.elements = [self._element(spec, None, _Place(), folded=False)]

    def _subspace(self, spec: Any, template: Any, place: _Place) -> list[Element]:
        # PyGlove folds the DNA node of a candidate's only element into the node of the candidate.
        folded = place.depth > 0 and len(spec.elements) == 1
        known = () if template is None else template.hyper_primitives
        hypers: list[Any] = [hyper for _, hyper in known] or [None] * len(spec.elements)
        pairs = zip(spec.elements, hypers, strict=True)
        return [self._element(element, hyper, place, folded) for element, hyper in pairs]

    def _element(self, spec: Any, hyper: Any, place: _Place, folded: bool) -> Element:
        if not (spec.is_categorical and spec.num_choices > 1):
            return self._slot(spec, hyper, place, None)
        multi_choice = MultiChoice(spec, [])
        self.multi_choices.append(multi_choice)
        at = len(self.nodes)
        for i in range(spec.num_choices):
            multi_choice.slots.append(self._slot(spec.subchoice(i), hyper, place, multi_choice))
        if not folded:
            self.nodes.insert(at, Node(multi_choice, multi_choice.start, multi_choice.end, None))
        return multi_choice

    def _slot(self, spec: Any, hyper: Any, place: _Place, multi_choice: MultiChoice | None) -> Slot:
        index, at = len(self.slots), len(self.nodes)
        templates: list[Any] = list(hyper.candidate_templates) if spec.is_categorical and hyper is not None else []
        values = [template.value for template in templates] or None
        slot = Slot(index, _describe(spec, values, place), spec, values, place.depth)
        self.slots.append(slot)
        if spec.is_categorical:
            for i, candidate in enumerate(spec.candidates):
                template = templates[i] if templates else None
                branch = self._subspace(candidate, template, _Place(index, i, place.depth + 1))
                slot.branches.append(branch)
        slot.end = len(self.slots)
        constraint = multi_choice if multi_choice is not None and multi_choice.constrained else None
        self.nodes.insert(at, Node(slot, index, slot.end, constraint))
        return slot


def unfold(elements: list[Element]) -> list[Element]:
    """Elements as the DNA of a candidate lists them: an only multi-choice is folded into its choices."""
    if len(elements) == 1 and isinstance(elements[0], MultiChoice):
        return list(elements[0].slots)
    return elements


def _describe(spec: Any, values: list[Any] | None, place: _Place) -> Column:
    name, condition = str(spec.id), (place.parent, place.parent_value)
    if spec.is_numerical:
        return Column(name, "float", (), (spec.min_value, spec.max_value), *condition)
    if not spec.is_categorical:
        return Column(name, "custom", (), None, *condition)
    candidates = tuple(spec.literal_values or range(len(spec.candidates)))
    if values is not None:
        pairs = zip(values, candidates, strict=True)
        candidates = tuple(value if type(value) in _PLAIN else literal for value, literal in pairs)
    return Column(name, "choice", candidates, None, *condition)
