"""Decision points as columns: the layout of a population array, compiled from a `pg.DNASpec`.

There is one column per decision point, in the depth-first order of `spec.decision_points`. A sub-space is
therefore a contiguous run of columns, and a gene whose ancestors did not choose its sub-space is inactive.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import pyglove as pg

ColumnKind = Literal["choice", "float", "custom"]
Literal_ = int | float | str | bool | None


@dataclass(frozen=True)
class Column:
    """What one column of a row means.

    Attributes:
        name: where the decision is made, as PyGlove writes it: "stages[2].kernel", or "head[=1/3].units"
            for a decision that exists only when "head" takes the second of its three candidates.
        kind: a choice among candidates, a float within bounds, or a custom decision (a string).
        candidates: what may be chosen, as PyGlove displays it; empty unless a choice.
        bounds: smallest and largest value of a float; None for the other kinds.
        parent: column of the choice on which this decision depends, -1 if it is always made.
        parent_value: candidate that the parent must have chosen for this decision to be made.
    """

    name: str
    kind: ColumnKind
    candidates: tuple[Literals, ...] = ()
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
        depth: how many choices it depends on.
        branches: elements of the sub-space of each candidate; empty unless a choice.
        end: one past the last column of its sub-spaces.
    """

    index: int
    column: Column
    spec: Any
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


class Layout:
    """The tree of decisions of a space and its columns.

    Attributes:
        spec: the space.
        elements: independent decisions at the top level.
        slots: every gene, by column.
        multi_choices: every multi-choice, outer before inner.
        nodes: what a mutation can pick, in the depth-first order of the DNA tree.
    """

    def __init__(self, spec: pg.DNASpec) -> None:
        self.spec = spec
        self.slots: list[Slot] = []
        self.multi_choices: list[MultiChoice] = []
        self.nodes: list[Node] = []
        if spec.is_space:
            self.elements = self._subspace(spec, parent=-1, parent_value=-1, depth=0)
        else:
            self.elements = [self._element(spec, -1, -1, 0, folded=False)]

    def _subspace(self, spec: Any, parent: int, parent_value: int, depth: int) -> list[Element]:
        # PyGlove folds the DNA node of a candidate's only element into the node of the candidate.
        folded = parent >= 0 and len(spec.elements) == 1
        return [self._element(element, parent, parent_value, depth, folded) for element in spec.elements]

    def _element(self, spec: Any, parent: int, parent_value: int, depth: int, folded: bool) -> Element:
        if not (spec.is_categorical and spec.num_choices > 1):
            return self._slot(spec, parent, parent_value, depth, None)
        multi_choice = MultiChoice(spec, [])
        self.multi_choices.append(multi_choice)
        at = len(self.nodes)
        for i in range(spec.num_choices):
            slot = self._slot(spec.subchoice(i), parent, parent_value, depth, multi_choice)
            multi_choice.slots.append(slot)
        if not folded:
            self.nodes.insert(at, Node(multi_choice, multi_choice.start, multi_choice.end, None))
        return multi_choice

    def _slot(
        self, spec: Any, parent: int, parent_value: int, depth: int, multi_choice: MultiChoice | None
    ) -> Slot:
        column = _describe(spec, parent, parent_value)
        slot = Slot(len(self.slots), column, spec, depth)
        self.slots.append(slot)
        at = len(self.nodes)
        if column.kind == "choice":
            for i, candidate in enumerate(spec.candidates):
                slot.branches.append(self._subspace(candidate, slot.index, i, depth + 1))
        slot.end = len(self.slots)
        constraint = multi_choice if multi_choice is not None and multi_choice.constrained else None
        self.nodes.insert(at, Node(slot, slot.index, slot.end, constraint))
        return slot


def unfold(elements: list[Element]) -> list[Element]:
    """Elements as the DNA of a candidate lists them: an only multi-choice is folded into its choices."""
    if len(elements) == 1 and isinstance(elements[0], MultiChoice):
        return list(elements[0].slots)
    return elements


def _describe(spec: Any, parent: int, parent_value: int) -> Column:
    name = str(spec.id)
    if spec.is_categorical:
        literals = spec.literal_values or range(len(spec.candidates))
        return Column(name, "choice", tuple(literals), None, parent, parent_value)
    if spec.is_numerical:
        return Column(name, "float", (), (spec.min_value, spec.max_value), parent, parent_value)
    return Column(name, "custom", (), None, parent, parent_value)
