"""Parts of a space: what lies under a symbolic path, searched by itself while the rest is held.

A co-design space has an architecture and an accelerator; phased and nested searches vary one of them at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyglove as pg
from numpy.typing import NDArray

from autoglyph.search_spaces import plugins
from autoglyph.search_spaces.genome import Genome, Row, Rows


class Part:
    """The decisions under one or more symbolic paths of a space, as a space of their own.

    Args:
        genome: the whole space.
        paths: where in a value of the space, such as "accelerator" or "stages[2]".

    Attributes:
        name: the paths, for messages.
        genome: the decisions under them alone.
        columns: (L of the part,) their columns in the whole.

    Raises:
        ValueError: if nothing is decided there, or what is decided there depends on the rest of the space.
    """

    def __init__(self, genome: Genome, *paths: str) -> None:
        self.name = ", ".join(paths)
        found = [genome.columns_under(path) for path in paths]
        if not all(len(columns) for columns in found):
            raise ValueError(f"Nothing is decided at {self.name!r} of the space: name a part that has decisions.")
        self.columns: NDArray[np.intp] = np.concatenate(found)
        values = [_value_at(genome, path) for path in paths]
        self.genome = Genome(values[0] if len(values) == 1 else pg.List(values))
        if self.genome.length != len(self.columns):
            raise ValueError(
                f"What is decided at {self.name!r} depends on other parts of the space: name a larger part."
            )
        if any(column.kind == "custom" for column in self.genome.columns):
            raise ValueError(f"The part {self.name!r} has custom decisions, which cannot be searched by themselves.")

    def of(self, rows: Rows) -> Rows:
        """(n, L of the part) rows of this part in rows of the whole."""
        return rows[:, self.columns].astype(self.genome.dtype)

    def within(self, rows: Rows, whole: Row) -> Rows:
        """Rows of the whole: one row of it, with this part taken from `rows`.

        Args:
            rows: (n, L of the part) canonical rows of the part.
            whole: (L,) canonical row of the whole space.
        """
        placed: Rows = np.repeat(whole[None], len(rows), axis=0)
        placed[:, self.columns] = rows
        return placed


def part_names(genome: Genome) -> list[str]:
    """Paths of the top-level parts of a space that have decisions, in its order.

    Raises:
        ValueError: if the space is one single decision.
    """
    names: list[str] = []
    for column in genome.columns:
        keys = pg.KeyPath.parse(column.name).keys
        first = next((key for key in keys if not isinstance(key, pg.geno.ConditionalKey)), None)
        if first is None:
            raise ValueError("The space is one single decision: it has no parts to search in turn.")
        name = str(pg.KeyPath([first]))
        if name not in names:
            names.append(name)
    return names


def named_parts(genome: Genome, paths: Sequence[str]) -> list[Part]:
    """Parts by path; without paths, all top-level parts.

    Raises:
        ValueError: if a path is no part, or two of them overlap.
    """
    known = part_names(genome)
    for path in paths:
        if path not in known and not any(path.startswith(name) for name in known):
            raise plugins.unknown_name("part of the space", path, known)
    found = [Part(genome, path) for path in paths or known]
    together = np.concatenate([part.columns for part in found])
    if len(np.unique(together)) < len(together):
        raise ValueError(f"The parts {', '.join(p.name for p in found)} overlap: name parts that share no decision.")
    return found


def _value_at(genome: Genome, path: str) -> Any:
    try:
        value = genome.template.value.sym_get(pg.KeyPath.parse(path))
    except KeyError:
        raise ValueError(f"What is at {path!r} depends on a choice above it: name a larger part.") from None
    return value.clone(deep=True) if isinstance(value, pg.Symbolic) else value
