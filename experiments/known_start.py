"""Known individuals as where an algorithm starts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyglove as pg

from autoglyph.search_spaces.genome import Row
from autoglyph.search_spaces.space import SearchSpace

START = "algorithm.start"


def resolved(settings: Mapping[str, str], space: SearchSpace) -> dict[str, str]:
    """The settings with the decisions of a known individual where `algorithm.start` names one.

    Raises:
        ValueError: if the space has no individual of that name, or it is no point of the space.
    """
    found = dict(settings)
    name = found.get(START)
    if name is not None and not name.lstrip().startswith("[") and name != "null":
        found[START] = json.dumps(genes_of(name, space))
    return found


def genes_of(name: str, space: SearchSpace) -> list[Any]:
    """The decisions of a known individual as plain numbers.

    Raises:
        ValueError: if the space has no individual of that name, or it is no point of the space.
    """
    genes: list[Any] = space.genome.to_json(decisions_of(space.individual(name), space))
    return genes


def decisions_of(individual: Any, space: SearchSpace) -> Row:
    """The row of an individual; what the space leaves no choice about, such as a published size, is disregarded.

    Raises:
        ValueError: if its decisions are no point of the space, in one sentence.
    """
    value = space.value
    if isinstance(value, pg.Object) and isinstance(individual, type(value)):
        fixed = {
            str(key): value.sym_getattr(key) for key in value.sym_keys() if pg.is_deterministic(value.sym_getattr(key))
        }
        individual = individual.clone(deep=True)
        individual.rebind(fixed, raise_on_no_change=False)
    try:
        return space.genome.encode(individual)
    except ValueError as error:
        reason = " ".join(str(error).split()).partition(", Candidates")[0]
        raise ValueError(f"The individual is no point of the space {space.name}: {reason}") from error
