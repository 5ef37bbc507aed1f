"""Finding algorithms: built-in ones by file name, installed ones by entry point, one's own by file path."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import pyglove as pg

from autoglyph.algorithms.base import Algorithm
from autoglyph.algorithms.pyglove_generator import PyGloveGenerator
from autoglyph.search_spaces import plugins

_PACKAGE = "autoglyph.algorithms"
_GROUP = "autoglyph.algorithms"
_WRAPPER = "pyglove_generator"


def available() -> dict[str, str]:
    """Built-in and installed algorithms: name -> first line of its docstring."""
    return {name: _first_line(get(name)) for name in [*_built_in(), *plugins.entry_points(_GROUP)]}


def get(name: str) -> type[Algorithm]:
    """The algorithm of a name.

    Args:
        name: a file of this package, an entry point of the group autoglyph.algorithms, or "file.py:Class".

    Raises:
        ValueError: if there is none, with the nearest names.
    """
    found: Any
    if ".py" in name:
        found = plugins.attribute_of_file(name, "ALGORITHM")
    elif name in _built_in():
        found = _algorithm_in(name)
    else:
        points = plugins.entry_points(_GROUP)
        if name not in points:
            raise plugins.unknown_name("algorithm", name, [*_built_in(), *points])
        found = points[name].load()
    if not (inspect.isclass(found) and issubclass(found, Algorithm)):
        raise ValueError(f"{name} is not an algorithm: expected a class that derives from Algorithm.")
    return found


def make(name: str) -> Algorithm:
    """The algorithm of a name with its own settings.

    Args:
        name: as for `get`; "file.py:NAME" may also name a `pg.DNAGenerator`, or an algorithm with its settings.

    Raises:
        ValueError: if there is none.
    """
    return maker(name)()


def maker(name: str) -> Callable[..., Algorithm]:
    """What makes the algorithm of a name from its settings; see `make`."""
    if name == _WRAPPER:
        return PyGloveGenerator
    if ".py" in name:
        found = plugins.attribute_of_file(name, "ALGORITHM")
        if isinstance(found, pg.DNAGenerator):
            return functools.partial(PyGloveGenerator, **{"generator": found})
        if isinstance(found, Algorithm):
            return functools.partial(found.clone, deep=True)
    return get(name)


def is_value_of_file(name: str) -> bool:
    """Whether a name refers to an algorithm or generator as it stands in a file: the file is its settings."""
    return ".py" in name and isinstance(maker(name), functools.partial)


def name_of(algorithm: Algorithm) -> str:
    """The name by which `maker` finds the class of an algorithm.

    Raises:
        ValueError: if it is neither built in nor installed.
    """
    kind = type(algorithm)
    if kind.__module__.startswith(_PACKAGE + "."):
        return kind.__module__.rpartition(".")[2]
    for name, point in plugins.entry_points(_GROUP).items():
        if point.load() is kind:
            return name
    raise ValueError(f"{kind.__name__} is neither built in nor installed: give algorithm_name as file.py:NAME.")


def _built_in() -> list[str]:
    return [n for n in plugins.module_names(_PACKAGE, leave_out=[_WRAPPER]) if _algorithm_in(n) is not None]


def _algorithm_in(name: str) -> type[Algorithm] | None:
    return plugins.class_in_module(f"{_PACKAGE}.{name}", Algorithm)


def _first_line(algorithm: type[Algorithm]) -> str:
    return (inspect.getdoc(algorithm) or "").partition("\n")[0]
