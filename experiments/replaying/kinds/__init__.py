"""Kinds of individuals, one file each.

A file here has `HANDLES`, the class (or a tuple of classes) of the individuals it knows, and
`carry_out(subject, found, wishes, *, quiet=False) -> dict`; the file whose class is nearest to the individual's own is
taken, so a new kind is a new file. Heavy imports happen inside `carry_out`.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

from autoglyph.search_spaces import plugins

CarryOut = Callable[..., dict[str, Any]]


def kind_of(subject: Any) -> CarryOut | None:
    """What builds, trains and exports such an individual; None if no kind knows it."""
    handlers = _handlers()
    return next((handlers[c] for c in type(subject).__mro__ if c in handlers), None)


@functools.cache
def _handlers() -> dict[type, CarryOut]:
    found: dict[type, CarryOut] = {}
    for name in plugins.module_names(__name__):
        module = importlib.import_module(f"{__name__}.{name}")
        handled = module.HANDLES if isinstance(module.HANDLES, tuple) else (module.HANDLES,)
        found.update(dict.fromkeys(handled, module.carry_out))
    return found
