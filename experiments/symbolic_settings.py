"""Settings of symbolic values as plain JSON, and algorithms from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyglove as pg

from autoglyph.algorithms import Algorithm, catalog
from autoglyph.algorithms.hurdles import HurdleRule
from autoglyph.algorithms.pyglove_generator import PyGloveGenerator, generator_text

_ALGORITHM = "algorithm"


def settings_of(value: Any) -> dict[str, Any]:
    """The fields of a symbolic value as plain JSON; an algorithm inside becomes its name and its own settings."""
    if not isinstance(value, pg.Object):
        return {}
    if isinstance(value, PyGloveGenerator) and isinstance(value.generator, pg.DNAGenerator):
        return {"generator": generator_text(value.generator)}
    fields = {str(key): value.sym_getattr(key) for key in value.sym_keys()}
    for key, field in fields.items():
        if isinstance(value, Algorithm) and callable(field) and not isinstance(field, pg.Symbolic):
            raise ValueError(
                f"The setting {key!r} of {type(value).__name__} holds code ({getattr(field, '__name__', field)}), "
                "which a record does not keep: put the algorithm into a file as ALGORITHM and name it my.py:ALGORITHM."
            )
    return {key: plain(field) for key, field in fields.items()}


def algorithm_from(name: str, settings: Mapping[str, Any]) -> Algorithm:
    """The algorithm of a name with settings as `settings_of` gives them.

    Raises:
        ValueError: if there is no such algorithm.
        KeyError: if the settings are not whole.
        TypeError: if a setting does not fit.
    """
    inside = {
        key: algorithm_from(value[_ALGORITHM], value["settings"])
        if isinstance(value, Mapping) and _ALGORITHM in value
        else value
        for key, value in settings.items()
    }
    if catalog.is_value_of_file(name):
        return catalog.make(name)  # the file is the setting
    return catalog.maker(name)(**inside)


def plain(value: Any) -> Any:
    """A value of plain types: built-in algorithms and hurdle rules by name, other objects by their text."""
    for kind, base in ((_ALGORITHM, Algorithm), ("hurdles", HurdleRule)):
        if isinstance(value, base):
            return {kind: type(value).__module__.rpartition(".")[2], "settings": settings_of(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else repr(value)
