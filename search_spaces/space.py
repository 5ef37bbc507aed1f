"""A search space: one PyGlove hyper value with a name, its known individuals and its compiled form."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.search_spaces import plugins
from autoglyph.search_spaces.genome import Genome, Rows

_PACKAGE = "autoglyph.search_spaces.spaces"


class SearchSpace:
    """A named space of individuals.

    Args:
        name: the name it is recorded under.
        value: a PyGlove hyper value, or a function without arguments that makes one.
        individuals: known individuals by name, each made by a function without arguments. They have the
            type of the space's individuals, and need not all be points of the space.
        feasible: (n, L) canonical rows and the genome to an (n,) mask; individuals that it refuses are
            never tried. Without it, every point is feasible.
        description: one line.
    """

    def __init__(
        self,
        name: str,
        value: Any,
        *,
        individuals: Mapping[str, Callable[[], Any]] | None = None,
        feasible: Callable[[Rows, Genome], NDArray[np.bool_]] | None = None,
        description: str = "",
    ) -> None:
        self.name = name
        self.description = description
        self._value = value
        self._individuals = dict(individuals or {})
        self._feasible = feasible

    def __repr__(self) -> str:
        return f"SearchSpace({self.name!r})"

    @functools.cached_property
    def value(self) -> Any:
        """The PyGlove hyper value."""
        import pyglove as pg

        is_maker = callable(self._value) and not isinstance(self._value, pg.Symbolic)
        return self._value() if is_maker else self._value

    @functools.cached_property
    def genome(self) -> Genome:
        """The compiled form, made on first use."""
        return Genome(self.value)

    @property
    def digest(self) -> str:
        """Hash of the decisions and their candidates: a record of another space is never decoded."""
        return self.genome.digest

    @property
    def size(self) -> int:
        """Number of points, -1 if infinite."""
        return self.genome.size

    @property
    def individual_names(self) -> list[str]:
        """Names of the known individuals."""
        return list(self._individuals)

    def individual(self, name: str) -> Any:
        """A known individual; case, '_' and a leading "efficientnet-" style prefix do not matter.

        Raises:
            ValueError: if there is none of that name.
        """
        plain = name.lower().replace("_", "-")
        for candidate in (plain, plain.removeprefix(f"{self.name.split('_')[0]}-")):
            if candidate in self._individuals:
                return self._individuals[candidate]()
        raise plugins.unknown_name(f"individual of {self.name}", name, self._individuals)

    def feasible(self, rows: Rows) -> NDArray[np.bool_]:
        """(n,) mask of the rows that may be tried."""
        if self._feasible is None:
            return np.ones(len(rows), bool)
        return self._feasible(rows, self.genome)


def built_in_names() -> list[str]:
    """Names of the spaces that ship with the package."""
    return plugins.module_names(_PACKAGE)


def load_space(name: str) -> SearchSpace:
    """A built-in space by name.

    Raises:
        ValueError: if there is none of that name.
    """
    import importlib

    if name not in built_in_names():
        raise plugins.unknown_name("search space", name, built_in_names())
    space = importlib.import_module(f"{_PACKAGE}.{name}").SPACE
    assert isinstance(space, SearchSpace)
    return space
