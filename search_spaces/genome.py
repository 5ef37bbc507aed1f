"""A search space compiled once to arrays: a population is an (n, L) matrix of decisions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pyglove as pg
from numpy.typing import ArrayLike, NDArray

from autoglyph.search_spaces import decode as decoders
from autoglyph.search_spaces import digest as digests
from autoglyph.search_spaces import dna_bridge
from autoglyph.search_spaces.columns import Column, ColumnKind, Layout, MultiChoice
from autoglyph.search_spaces.custom_values import CustomValues
from autoglyph.search_spaces.enumeration import Enumeration
from autoglyph.search_spaces.validation import Validation
from autoglyph.search_spaces.variation import Mask, Rows, Variation

__all__ = ["Column", "ColumnKind", "Genome", "Rows"]

Row = Rows
_SELF_CHECKS = 3


class Genome:
    """Array view of a PyGlove search space.

    There is one column per decision point, in the depth-first order of PyGlove. A row holds candidate
    numbers and floats; a gene whose decision is not made, because no choice above needs it, is 0. Rows in
    this form are canonical: two of them are the same point of the space if and only if they are equal.

    Args:
        space: a hyper value, which may be a plain dict or list, a `pg.template` or a bare `pg.DNASpec`.
        where: which hyper values belong to the space, as in `pg.template`; all by default.

    Attributes:
        spec: PyGlove's description of the decisions.
        template: PyGlove's decoder; None for a bare `pg.DNASpec`.
        columns: what each column means.
        length: how many columns there are, L.
        cardinalities: (L,) candidates of each column, 0 for floats and custom decisions.
        dtype: int32, or float64 where a row must hold floats or custom values.
        size: how many points the space has, -1 if infinitely many.

    Example:
        >>> genome = Genome(pg.Dict(width=pg.oneof([16, 32, 64]), depth=pg.oneof([1, 2, 3])))
        >>> genome.decode(np.array([1, 2], np.int32))
        {width=32, depth=3}
    """

    def __init__(self, space: Any, where: Callable[[Any], bool] | None = None) -> None:
        self._space, self._where = space, where
        self.template: Any = None
        if isinstance(space, pg.DNASpec):
            self.spec: Any = space
        else:
            is_template = isinstance(space, pg.hyper.ObjectTemplate)
            self.template = space if is_template else pg.template(_symbolic(space), where)
            self.spec = self.template.dna_spec()
        self._layout = Layout(self.spec, self.template)
        self._custom_values = CustomValues()
        self._variation = Variation(self._layout, self._custom_values)
        self._enumeration = Enumeration(self._layout)
        self._validation = Validation(self._layout, self._custom_values)
        self.columns: tuple[Column, ...] = tuple(slot.column for slot in self._layout.slots)
        self.length = len(self.columns)
        self.cardinalities = np.array([slot.cardinality for slot in self._layout.slots], np.int64)
        self.dtype: type[np.int32] | type[np.float64] = self._variation.dtype
        self.size: int = self._enumeration.size
        self._casts: list[Callable[[Any], Any]] | None = None
        if self.dtype is np.float64:
            casts: dict[ColumnKind, Callable[[Any], Any]] = {
                "choice": int,
                "float": float,
                "custom": self._custom_string,
            }
            self._casts = [casts[column.kind] for column in self.columns]

    def __reduce__(self) -> tuple[Any, ...]:
        """Travels as its space and is compiled again on arrival."""
        return Genome, (self._space, self._where)

    @functools.cached_property
    def independent(self) -> bool:
        """Whether all decisions are choices that are always made, each free of all others."""
        constrained = any(isinstance(e, MultiChoice) and e.constrained for e in self._layout.elements)
        return not constrained and all(c.kind == "choice" and c.parent < 0 for c in self.columns)

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of the decisions of the space, the same in every process."""
        return digests.digest(self._layout)

    def random(self, n: int, rng: np.random.Generator) -> Rows:
        """(n, L) independent rows, distributed as `pg.random_dna`."""
        return self._variation.random(n, rng)

    def mutate(self, rows: Rows, rng: np.random.Generator) -> Rows:
        """A mutant of each row, distributed as `pg.evolution.mutators.Uniform`.

        One node of the DNA, each with the same probability, is drawn anew with everything below it.
        """
        return self._variation.mutate(rows, rng)

    def redraw(self, rows: Rows, rate: float, rng: np.random.Generator) -> Rows:
        """Each row with every active gene drawn anew, from all its candidates, with probability `rate`.

        This is the mutation of the Evolved Transformer (So et al., 2019). Constrained multi-choices stay
        valid: a distinct choice is drawn among the candidates that the choices kept leave free.
        """
        return self._variation.redraw(rows, rate, rng)

    def crossover(self, first: Rows, second: Rows, rng: np.random.Generator) -> Rows:
        """Uniform crossover of pairs of rows, always valid.

        A gene that both parents have comes from either; one that a single parent has comes with the choice
        that needs it. A constrained multi-choice is inherited whole.
        """
        return self._variation.crossover(first, second, rng)

    def canonical(self, rows: Rows) -> Rows:
        """The same points of the space with every inactive gene 0."""
        return self._variation.canonical(rows)

    def active(self, rows: Rows) -> Mask:
        """(n, L) mask of the genes whose decision is made."""
        return self._variation.active(rows)

    def keys(self, rows: Rows) -> list[bytes]:
        """An identifier of each canonical row, the same in every process on machines of one byte order."""
        raw = np.ascontiguousarray(rows, self.dtype).tobytes()
        width = self.length * np.dtype(self.dtype).itemsize
        return [raw[i * width : (i + 1) * width] for i in range(len(rows))]

    def literals(self, rows: Rows, column: int) -> NDArray[Any]:
        """(n,) chosen values of one column: candidates as `columns` lists them, floats or strings.

        The value of an inactive gene has no meaning; it is that of the first candidate, 0.0 or "".
        """
        values, kind = rows[:, column], self.columns[column].kind
        if kind == "float":
            return values
        if kind == "custom":
            return np.array([self._custom_string(value) or "" for value in values.tolist()], object)
        return self._literal_tables[column][values.astype(np.intp)]

    @functools.cached_property
    def _literal_tables(self) -> list[NDArray[Any]]:
        return [_table(column.candidates) for column in self.columns]

    def decode(self, row: Row) -> Any:
        """The object that a row stands for, a new one at every call; a `pg.DNA` for a bare `pg.DNASpec`."""
        return self._decoder(self.to_json(row))

    def encode(self, value: Any) -> Row:
        """The row that decodes to a value.

        Raises:
            ValueError: if the value is not a point of the space.
        """
        if self.template is None:
            raise ValueError("Expected a space with values to encode, received a bare pg.DNASpec.")
        row = self.from_dna(self.template.encode(value))
        self.validate(row[None])
        return row

    def to_dna(self, row: Row) -> Any:
        """The `pg.DNA` of a row, bound to the specification of the space."""
        return self._dna_builder(self.to_json(row))

    def from_dna(self, dna: Any) -> Row:
        """The row of a `pg.DNA`.

        Raises:
            ValueError: if the DNA does not have the shape of the space.
        """
        decisions = dna_bridge.read_dna(self._layout, dna)
        row: Row = self.canonical(self._array(decisions))[0]
        return row

    def to_json(self, row: Row) -> list[Any]:
        """The decisions of a row as plain numbers and, for custom decisions, strings."""
        values: list[Any] = row.tolist()
        if self._casts is None:
            return values
        return [cast(value) for cast, value in zip(self._casts, values, strict=True)]

    def from_json(self, decisions: Sequence[Any]) -> Row:
        """The row of a list of decisions, whoever wrote it.

        Raises:
            ValueError: if the list is not a point of the space, in one sentence.
        """
        if not isinstance(decisions, (list, tuple)) or len(decisions) != self.length:
            raise ValueError(f"Expected a list of {self.length} decisions, received {decisions!r}.")
        for column, decision in zip(self.columns, decisions, strict=True):
            _check_type(column, decision)
        try:
            array = self._array(decisions)
        except OverflowError:
            raise ValueError(f"Expected decisions that fit {self.dtype.__name__}, received more.") from None
        self.validate(array)
        row: Row = self.canonical(array)[0]
        return row

    def validate(self, rows: ArrayLike) -> None:
        """Refuses rows of foreign origin that are not canonical points of the space.

        Raises:
            ValueError: in one sentence about the first fault found.
        """
        array = np.asarray(rows)
        self._validation.check_shape(array)
        self._validation.check_values(array, self.active(array))

    def enumerate(self, batch: int = 4096) -> Iterator[Rows]:
        """All points in batches of rows, in the order of `pg.geno.Sweeping`.

        Raises:
            ValueError: if the space is infinite.
        """
        self._enumeration.require_finite()
        for start in range(0, self.size, batch):
            yield self.rows_at(start, min(start + batch, self.size))

    def rows_at(self, start: int, stop: int) -> Rows:
        """(stop - start, L) points number start to stop - 1 in the order of `pg.geno.Sweeping`.

        Raises:
            ValueError: if the space is infinite or has no such points.
        """
        return self._enumeration.rows(start, stop, self.dtype)

    def columns_under(self, path: str) -> NDArray[np.intp]:
        """Columns that determine the part of an individual at a symbolic path such as "stages[2]".

        These are the decisions made at or under the path and, where the path leads through a choice, that
        choice: rows that agree in them decode to equal parts. In a space with values derived from others
        every column may matter, so all are returned.

        Raises:
            ValueError: if the path leads nowhere in the space.
        """
        wanted = tuple(pg.KeyPath.parse(path).keys)
        value = None if self.template is None else self.template.value
        found = [i for i, keys in enumerate(self._value_keys) if _are_related(keys, wanted)]
        if not found and not pg.KeyPath.parse(path).exists(value):
            raise ValueError(f"Expected a path within the space, received {path!r}.")
        if self._is_entangled:
            return np.arange(self.length)
        return np.array(found, np.intp)

    @functools.cached_property
    def _value_keys(self) -> list[tuple[Any, ...]]:
        return [slot.keys for slot in self._layout.slots]

    @functools.cached_property
    def _is_entangled(self) -> bool:
        """Whether a part of an individual may depend on decisions made elsewhere."""
        value = None if self.template is None else self.template.value
        return bool(pg.contains(value, type=(pg.hyper.DerivedValue, pg.symbolic.InferredValue)))

    def _array(self, decisions: Sequence[Any]) -> NDArray[Any]:
        numbers = [self._custom_values.number(v) if isinstance(v, str) else v for v in decisions]
        return np.array([numbers], self.dtype).reshape(1, self.length)

    def _custom_string(self, number: float) -> Any:
        return self._custom_values.string(number) if number else 0

    @functools.cached_property
    def _dna_builder(self) -> Callable[[list[Any]], Any]:
        """The fast builder if it agrees with PyGlove on random individuals, otherwise PyGlove's own."""
        builder = dna_bridge.dna_builder(self._layout)
        return builder if self._agrees(builder, self._build_dna_slowly) else self._build_dna_slowly

    @functools.cached_property
    def _decoder(self) -> Callable[[list[Any]], Any]:
        """The fast decoder if there is one and it agrees with PyGlove's, otherwise PyGlove's own."""
        if self.template is None:
            return self._dna_builder
        try:
            decoder = decoders.compile_decoder(self.template, self._layout.elements)
        except Exception:  # whatever goes wrong with PyGlove's internals, PyGlove's own way is right
            return self._decode_slowly
        if decoder is None or not self._agrees(decoder, self._decode_slowly):
            return self._decode_slowly
        return decoder

    def _agrees(self, fast: Callable[[list[Any]], Any], slow: Callable[[list[Any]], Any]) -> bool:
        try:
            rows = self.random(_SELF_CHECKS, np.random.default_rng(0))
            decisions = [self.to_json(row) for row in rows]
            return all(decoders.agree(fast(each), slow(each)) for each in decisions)
        except Exception:  # including custom decisions that cannot be drawn
            return False

    def _build_dna_slowly(self, decisions: list[Any]) -> Any:
        active = self.active(self._array(decisions))[0]
        made = [decision for decision, is_made in zip(decisions, active, strict=True) if is_made]
        return pg.DNA.from_numbers(made, self.spec)

    def _decode_slowly(self, decisions: list[Any]) -> Any:
        return self.template.decode(self._dna_builder(decisions))


def _symbolic(value: Any) -> Any:
    """Plain dicts and lists as PyGlove's, which alone can be decoded to."""
    if type(value) is dict:
        return pg.Dict(value)
    return pg.List(value) if type(value) is list else value


def _are_related(keys: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether one path leads to or through the other."""
    common = min(len(keys), len(other))
    return keys[:common] == other[:common]


def _table(candidates: Sequence[Any]) -> NDArray[Any]:
    """Candidates to be looked up: an array of numbers where all are, of objects otherwise."""
    if all(isinstance(candidate, (int, float)) for candidate in candidates):
        return np.asarray(candidates)
    table = np.empty(len(candidates), object)
    table[:] = candidates
    return table


def _check_type(column: Column, decision: Any) -> None:
    wanted = {"choice": (int,), "float": (int, float), "custom": (str,)}[column.kind]
    fits = isinstance(decision, wanted) and not isinstance(decision, bool)
    if not fits and not (decision == 0 and type(decision) is int):
        raise ValueError(f"Expected {wanted[-1].__name__} for {column.name}, received {decision!r}.")
