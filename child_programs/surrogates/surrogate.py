"""Accuracy predicted by a small regression that was fitted on a published table.

A surrogate is a JSON file beside this module: the space it holds for, where its numbers come from, how far
it errs on networks it was not fitted on, and its coefficients. It is linear in three kinds of features:

- terms: 1 where some genes have stated values, else 0;
- logarithms of totals: a total is a sum over stages of a number that the genes of the stage determine, such
  as the parameters of the network; logarithms are centred and scaled;
- products of powers of those logarithms.

All of it is compiled to one table for each group of columns that belong together, so that a population is
predicted by gathering and summing.
"""

from __future__ import annotations

import functools
import importlib.resources
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.search_spaces import Genome, Rows, plugins

Literals = int | float | str
_CHUNK = 1 << 15


@dataclass(frozen=True)
class HeldOutError:
    """How far predictions were from networks of the same table that were not fitted.

    Attributes:
        networks: how many.
        spearman: rank correlation.
        mean_absolute_error: percentage points.
    """

    networks: int
    spearman: float
    mean_absolute_error: float


@dataclass(frozen=True)
class Term:
    """A coefficient that counts where all of some columns have stated values.

    Attributes:
        when: values by column name.
        coefficient: percentage points.
    """

    when: Mapping[str, Literals]
    coefficient: float


@dataclass(frozen=True)
class Total:
    """A positive quantity of a network that is a sum over groups of columns.

    Attributes:
        name: what is counted.
        constant: what every network has.
        parts: for each group of columns, in the order of `groups`, the summand of every combination of
            candidates, the last column running fastest.
        log_centre: subtracted from the logarithm of the total.
        log_scale: divides it.
    """

    name: str
    constant: float
    parts: Sequence[Sequence[float]]
    log_centre: float
    log_scale: float


@dataclass(frozen=True)
class Monomial:
    """A coefficient of a product of powers of the scaled logarithms.

    Attributes:
        powers: exponent of each total.
        coefficient: percentage points.
    """

    powers: Sequence[int]
    coefficient: float


@dataclass(frozen=True, kw_only=True)
class LinearSurrogate:
    """Predicts the accuracy of the individuals of one space.

    Attributes:
        name: of its file.
        predicts: what exactly, in one line.
        source: the table and where it comes from.
        licence: of the table.
        space: name of the space.
        space_digest: of the space; no other one is served.
        columns: candidates by column name, in the order of a row.
        groups: names of the columns that belong together.
        fitted_networks: how many networks the coefficients were fitted on.
        held_out: error on others.
        intercept: percentage points.
        terms: conditions within one group each.
        totals: quantities.
        monomials: of the totals.
    """

    name: str
    predicts: str
    source: str
    licence: str
    space: str
    space_digest: str
    columns: Mapping[str, Sequence[Literals]]
    groups: Sequence[Sequence[str]]
    fitted_networks: int
    held_out: HeldOutError
    intercept: float
    terms: Sequence[Term]
    totals: Sequence[Total]
    monomials: Sequence[Monomial]

    @classmethod
    def from_json(cls, text: str) -> LinearSurrogate:
        """The surrogate that a JSON text describes."""
        fields = json.loads(text)
        return cls(
            **{
                **fields,
                "held_out": HeldOutError(**fields["held_out"]),
                "terms": [Term(**term) for term in fields["terms"]],
                "totals": [Total(**total) for total in fields["totals"]],
                "monomials": [Monomial(**monomial) for monomial in fields["monomials"]],
            }
        )

    def check_space(self, genome: Genome) -> None:
        """Refuses every space but its own.

        Raises:
            ValueError: if the decisions of the space are not those that the surrogate was fitted for.
        """
        if genome.digest != self.space_digest:
            raise ValueError(
                f"The surrogate {self.name!r} holds for the space {self.space!r} with digest "
                f"{self.space_digest[:12]}, not for one with digest {genome.digest[:12]}: "
                "train the individuals, or fit a surrogate for this space."
            )

    def predict(self, rows: Rows) -> NDArray[np.float64]:
        """(n,) predictions in percent for (n, L) rows of the space.

        Raises:
            ValueError: if the rows cannot be of the space.
        """
        self._check_rows(rows)
        predictions = np.empty(len(rows))
        for start in range(0, len(rows), _CHUNK):
            predictions[start : start + _CHUNK] = self._predict_chunk(rows[start : start + _CHUNK])
        return predictions

    def _check_rows(self, rows: Rows) -> None:
        if rows.ndim != 2 or rows.shape[1] != len(self.columns):
            raise ValueError(
                f"The surrogate {self.name!r} expects rows of {len(self.columns)} decisions of the space "
                f"{self.space!r}, received an array of shape {rows.shape}."
            )
        limits = np.array([len(candidates) for candidates in self.columns.values()])
        if len(rows) and ((rows.min(0) < 0).any() or (rows.max(0) >= limits).any()):
            raise ValueError(f"The surrogate {self.name!r} received rows that are no points of {self.space!r}.")

    def _predict_chunk(self, rows: Rows) -> NDArray[np.float64]:
        sums = np.zeros((len(rows), 1 + len(self.totals)))
        by_column = np.ascontiguousarray(rows.T.astype(np.intp))
        for at, strides, table in self._tables:
            index = by_column[at[0]] * strides[0]
            for column, stride in zip(at[1:], strides[1:], strict=True):
                index += by_column[column] * stride
            sums += table[index]
        predictions: NDArray[np.float64] = self.intercept + sums[:, 0]
        logs = [
            (np.log(total.constant + sums[:, 1 + t]) - total.log_centre) / total.log_scale
            for t, total in enumerate(self.totals)
        ]
        for monomial in self.monomials:
            product = np.full(len(rows), monomial.coefficient)
            for log, power in zip(logs, monomial.powers, strict=True):
                for _ in range(power):
                    product *= log
            predictions += product
        return predictions

    @functools.cached_property
    def _tables(self) -> list[tuple[list[int], list[int], NDArray[np.float64]]]:
        """For each group: its columns, their strides, and (combinations, 1 + totals) summands."""
        names = list(self.columns)
        tables = []
        for number, group in enumerate(self.groups):
            shape = [len(self.columns[name]) for name in group]
            table = np.zeros((*shape, 1 + len(self.totals)))
            for t, total in enumerate(self.totals):
                table[..., 1 + t] = np.reshape(total.parts[number], shape)
            for term in self.terms:
                if self._group_of(term) == number:
                    where = tuple(
                        self.columns[name].index(term.when[name]) if name in term.when else slice(None)
                        for name in group
                    )
                    table[(*where, 0)] += term.coefficient
            strides = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
            tables.append(([names.index(name) for name in group], strides, table.reshape(-1, 1 + len(self.totals))))
        return tables

    def _group_of(self, term: Term) -> int:
        for number, group in enumerate(self.groups):
            if set(term.when) <= set(group):
                return number
        raise ValueError(f"{self.name}: the term {dict(term.when)} spans several groups of columns.")


def available_surrogates() -> list[str]:
    """Names of the surrogates that ship with the package."""
    folder = importlib.resources.files("autoglyph.child_programs.surrogates")
    return sorted(file.name.removesuffix(".json") for file in folder.iterdir() if file.name.endswith(".json"))


def load_surrogate(name: str) -> LinearSurrogate:
    """A surrogate that ships with the package.

    Raises:
        ValueError: if there is none of that name.
    """
    if name not in available_surrogates():
        raise plugins.unknown_name("surrogate", name, available_surrogates())
    folder: Any = importlib.resources.files("autoglyph.child_programs.surrogates")
    return LinearSurrogate.from_json((folder / f"{name}.json").read_text(encoding="utf-8"))
