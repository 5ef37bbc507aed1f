"""Individuals as files of data: a known base and, for networks that scale, the changes that scaling made to it.

{"format": "autoglyph-individual", "version": 1, "base": "efficientnet_x:x-b0",
 "changes": {"scaling.width": 1.1, "scaling.depth": 1.25, "scaling.resolution": 256}, "made_by": {...}}

A base that a search found is {"space": name, "genes": [...]}, so the file needs no record. Only spaces that ship with
the package are bases, and only the scaling can change: reading a file runs nothing that the file says.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autoglyph.search_spaces import plugins
from autoglyph.search_spaces.architectures.efficientnet import EfficientNet
from autoglyph.search_spaces.space import built_in_names, load_space

FORMAT, VERSION = "autoglyph-individual", 1
MAX_BYTES = 1 << 20
_KEYS = ("format", "version", "base", "changes", "made_by")
RANGES: Mapping[str, tuple[type, float, float]] = {
    "scaling.width": (float, 0.05, 16),
    "scaling.depth": (float, 0.05, 16),
    "scaling.resolution": (int, 8, 2048),
}

Base = str | dict[str, Any]


def is_individual_file(reference: str) -> bool:
    """Whether a reference names a file of this kind."""
    return reference.endswith(".json")


def base_of(reference: str, store: str | Path) -> Base:
    """What a file says of the base that a reference names.

    Args:
        reference: "SPACE:NAME", "RUN:TRIAL", "RUN:best" or an individual file.
        store: the record that holds the run.

    Raises:
        ValueError: if the space is not one that ships with the package.
    """
    if is_individual_file(reference):
        base: Base = _read(Path(reference))["base"]
        return base
    from autoglyph.experiments.replaying.replayed import replay
    from autoglyph.experiments.run import Run

    found = replay(reference, store)
    if found.space not in built_in_names():
        raise ValueError(f"The space of {reference!r} does not ship with the package: scale one of a built-in space.")
    owner, _, name = found.name.rpartition(":")
    if not name.isdecimal():
        return f"{found.space}:{name}"
    genes = json.loads(Run.open(owner, store).trial(int(name)).genes)
    return {"space": found.space, "genes": genes}


def write_individual(path: Path, base: Base, changes: Mapping[str, float], made_by: Mapping[str, Any]) -> None:
    """Writes an individual.

    Args:
        path: of the file.
        base: from `base_of`.
        changes: values by symbolic path.
        made_by: how it was found, for people.

    Raises:
        ValueError: if the changes could not be read back.
    """
    _check_changes(changes, str(path))
    path.write_text(individual_text(base, changes, made_by), encoding="utf-8")


def individual_text(base: Base, changes: Mapping[str, float], made_by: Mapping[str, Any]) -> str:
    """An individual as `write_individual` writes it.

    Raises:
        ValueError: if a number is not finite.
    """
    fields = {"format": FORMAT, "version": VERSION, "base": base, "changes": dict(changes), "made_by": dict(made_by)}
    return json.dumps(fields, indent=1, allow_nan=False) + "\n"


def read_individual(path: Path) -> tuple[Any, str]:
    """The individual of a file and the name of its space.

    Raises:
        ValueError: if the file is not one of this kind or what it says is not possible.
    """
    fields = _read(path)
    individual, space = _individual_of(fields["base"], str(path))
    changes = {key: RANGES[key][0](value) for key, value in fields["changes"].items()}
    if not changes:
        return individual, space
    if not isinstance(individual, EfficientNet):
        raise ValueError(f"{str(path)!r}: individuals of {space} have no scaling; leave 'changes' empty.")
    changed: EfficientNet = individual.clone(deep=True)
    changed.rebind(changes, raise_on_no_change=False)
    return changed, space


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ValueError(f"There is no file {str(path)!r}: give one that `autoglyph scale --out` wrote.")
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{str(path)!r} has more than {MAX_BYTES:,} bytes: an individual is far smaller.")
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{str(path)!r} is not JSON: give a file that `autoglyph scale --out` wrote.") from error
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise ValueError(f'{str(path)!r} holds no individual: its "format" must be {FORMAT!r}.')
    if fields.get("version") != VERSION or isinstance(fields["version"], bool):
        raise ValueError(f"{str(path)!r} has version {fields.get('version')!r}: this release reads version {VERSION}.")
    for key in fields:
        if key not in _KEYS:
            raise ValueError(f"{str(path)!r}: {plugins.unknown_name('key', key, _KEYS)}")
    if missing := [key for key in ("base", "changes") if key not in fields]:
        raise ValueError(f"{str(path)!r} has no {missing[0]!r}: give a base and its changes.")
    if not isinstance(fields.get("made_by", {}), dict):
        raise ValueError(f"{str(path)!r}: 'made_by' must be an object.")
    _check_changes(fields["changes"], str(path))
    return fields


def _check_changes(changes: Any, where: str) -> None:
    if not isinstance(changes, Mapping):
        raise ValueError(f"{where!r}: 'changes' must be an object of values by path.")
    for key, value in changes.items():
        if key not in RANGES:
            raise ValueError(f"{where!r}: {plugins.unknown_name('change', key, RANGES)}")
        kind, low, high = RANGES[key]
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or (kind is int and not isinstance(value, int)):
            wanted = "a whole number" if kind is int else "a number"
            raise ValueError(f"{where!r}: {key} must be {wanted}, not {value!r}.")
        if not (low <= value <= high) or math.isnan(value):
            raise ValueError(f"{where!r}: {key} is {value}; give {low:g} to {high:g}.")


def _individual_of(base: Any, where: str) -> tuple[Any, str]:
    if isinstance(base, str):
        owner, separator, name = base.rpartition(":")
        if not separator:
            raise ValueError(f'{where!r}: cannot read the base {base!r}: write "SPACE:NAME".')
        space = _space(owner, where)
        try:
            return space.individual(name), space.name
        except ValueError as error:
            raise ValueError(f"{where!r}: {error}") from error
    if not isinstance(base, dict) or set(base) != {"space", "genes"} or not isinstance(base["space"], str):
        raise ValueError(f'{where!r}: the base must be "SPACE:NAME" or an object of space and genes.')
    space = _space(base["space"], where)
    genome = space.genome
    try:
        return genome.decode(genome.from_json(base["genes"])), space.name
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise ValueError(f"{where!r}: the genes are no point of the space {space.name}.") from error


def _space(name: str, where: str) -> Any:
    if name not in built_in_names():
        raise ValueError(f"{where!r}: {plugins.unknown_name('search space', name, built_in_names())}")
    return load_space(name)
