"""Finding hurdle rules: by file name, by the usual short name, or in a file of one's own."""

from __future__ import annotations

import inspect
from typing import Any

from autoglyph.algorithms.hurdles.base import HurdleRule
from autoglyph.search_spaces import plugins

_PACKAGE = "autoglyph.algorithms.hurdles"
SHORT = {"none": "no_hurdles", "pdh": "progressive_dynamic_hurdles", "asha": "successive_halving"}


def available() -> dict[str, str]:
    """Built-in rules: name -> first line of its docstring."""
    names = plugins.module_names(_PACKAGE, leave_out=["base", "catalog"])
    return {name: (inspect.getdoc(get(name)) or "").partition("\n")[0] for name in names}


def get(name: str) -> type[HurdleRule]:
    """The rule of a name.

    Args:
        name: a file of this package, its short name ("pdh", "asha", "none"), or "file.py:Class".

    Raises:
        ValueError: if there is none, with the nearest names.
    """
    found: Any = None
    if ".py" in name:
        found = plugins.attribute_of_file(name, "HURDLES")
    else:
        known = plugins.module_names(_PACKAGE, leave_out=["base", "catalog"])
        file = SHORT.get(name, name)
        if file not in known:
            raise plugins.unknown_name("hurdle rule", name, [*known, *SHORT])
        found = plugins.class_in_module(f"{_PACKAGE}.{file}", HurdleRule)
    if not (inspect.isclass(found) and issubclass(found, HurdleRule)):
        raise ValueError(f"{name} is no hurdle rule: expected a class that derives from HurdleRule.")
    return found
