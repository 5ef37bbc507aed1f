"""Parts of a space: some of its decisions, searched by themselves while the rest is held.

A co-design space has an architecture and an accelerator; phased and nested searches vary one of them at a time. A part
is what lies under a symbolic path, or any split of a space by name, by type or by a predicate on hyper values.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyglove as pg
from numpy.typing import NDArray

from autoglyph.search_spaces import plugins
from autoglyph.search_spaces.genome import Genome, Row, Rows

Chosen = str | type | Callable[[Any], bool] | Sequence[Any]
"""Which decisions are a part: those at a symbolic path, or with a name or a last key; those of a type (of hyper value,
or of a symbolic class that holds them); those of which a predicate on hyper values says so, as `where` in PyGlove; or
any of several."""


class Part:
    """The decisions under one or more symbolic paths of a space, as a space of their own.

    Args:
        genome: the whole space.
        paths: where in a value of the space, such as "accelerator" or "stages[2]".
        own: the decisions there as a space, None for that of the values there.

    Attributes:
        name: the paths, for messages.
        genome: the decisions under them alone.
        columns: (L of the part,) their columns in the whole.

    Raises:
        ValueError: if nothing is decided there, or what is decided there depends on the rest of the space.
    """

    def __init__(self, genome: Genome, *paths: str, own: Genome | None = None) -> None:
        self.name = ", ".join(paths)
        found = [genome.columns_under(path) for path in paths]
        if not all(len(columns) for columns in found):
            raise ValueError(f"Nothing is decided at {self.name!r} of the space: name a part that has decisions.")
        self.columns: NDArray[np.intp] = np.concatenate(found)
        if own is None:
            values = [_value_at(genome, path) for path in paths]
            own = Genome(values[0] if len(values) == 1 else pg.List(values))
        self.genome = own
        if own.length != len(self.columns) or (own.cardinalities != genome.cardinalities[self.columns]).any():
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


def split(genome: Genome, chosen: Chosen) -> tuple[Part, Part]:
    """The decisions that are chosen, and all others; the product of their sizes is the size of the space.

    What is decided within a candidate goes with the choice of it. Decisions keep their names in both parts, so a part
    is split again in the same words.

    Args:
        genome: the space, which may be a part itself.
        chosen: see `Chosen`; "" for the first top-level part.

    Raises:
        ValueError: if nothing or everything is chosen, or what is chosen depends on the rest.
    """
    if genome.template is None:
        raise ValueError("A bare pg.DNASpec has no parts: give the space with its values.")
    if isinstance(chosen, str) and not chosen:
        chosen = part_names(genome)[0]
    hyper_values = [(str(path), value) for path, value in genome.template.hyper_primitives]
    inside = [path for path, value in hyper_values if _is_chosen(genome, path, value, chosen)]
    outside = [path for path, _ in hyper_values if path not in inside]
    if not inside:
        if isinstance(chosen, str):
            if any(
                str(pg.KeyPath.parse(chosen).key) in map(str, pg.KeyPath.parse(c.name).keys) for c in genome.columns
            ):
                raise ValueError(f"What is at {chosen!r} depends on a choice above it: name a larger part.")
            raise plugins.unknown_name("part of the space", chosen, part_names(genome))
        raise ValueError(f"No decision of the space is chosen by {chosen!r}: choose some by name, type or where.")
    if not outside:
        raise ValueError(f"Expected a part with others beside it, received {_shown(chosen)}, which is all.")
    value = genome.template.value
    first, rest = (
        Part(genome, *paths, own=Genome(value, where=functools.partial(_is_within, frozenset(paths))))
        for paths in (inside, outside)
    )
    return first, rest


def _shown(chosen: Chosen) -> str:
    return repr(chosen) if isinstance(chosen, str) else str(getattr(chosen, "__name__", chosen))


def _is_chosen(genome: Genome, path: str, value: Any, chosen: Chosen) -> bool:
    if isinstance(chosen, str):
        paths = [str(p) for p, _ in genome.template.hyper_primitives]
        if any(_is_under(p, chosen) for p in paths):
            return _is_under(path, chosen)
        return chosen in (value.name, str(pg.KeyPath.parse(path).key))
    if isinstance(chosen, type):
        return isinstance(value, chosen) or any(isinstance(above, chosen) for above in _above(genome, path))
    if callable(chosen):
        return bool(chosen(value))
    return any(_is_chosen(genome, path, value, each) for each in chosen)


def _is_under(path: str, above: str) -> bool:
    return path == above or path.startswith((f"{above}.", f"{above}["))


def _above(genome: Genome, path: str) -> list[Any]:
    keys = pg.KeyPath.parse(path).keys
    return [genome.template.value.sym_get(pg.KeyPath(keys[:depth])) for depth in range(len(keys))]


def _is_within(paths: frozenset[str], value: Any) -> bool:
    """Whether a hyper value, or the outermost one in whose candidates it is, is at one of the paths.

    PyGlove asks about the candidates of a chosen hyper value on a copy that is in no value: its path is empty.
    """
    outermost = value
    above = value.sym_parent
    while above is not None:
        outermost = above if isinstance(above, pg.hyper.HyperPrimitive) else outermost
        above = above.sym_parent
    path = str(outermost.sym_path)
    return path in paths or (outermost is not value and not path)


def _value_at(genome: Genome, path: str) -> Any:
    try:
        value = genome.template.value.sym_get(pg.KeyPath.parse(path))
    except KeyError:
        raise ValueError(f"What is at {path!r} depends on a choice above it: name a larger part.") from None
    return value.clone(deep=True) if isinstance(value, pg.Symbolic) else value
