"""Public names of a package that are imported on first use.

A command that needs neither PyGlove nor TensorFlow starts without them. A package lists its names for type
checkers under `TYPE_CHECKING` and lets `__getattr__` find them at run time (PEP 562).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def importer(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of a package.

    Args:
        package: its `__name__`.
        homes: public name -> module within the package that defines it.

    Returns:
        A function from a name to its value; AttributeError if the name is not in `homes`.
    """

    def find(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{homes[name]}"), name)

    return find
