"""Define, launch, record, inspect and replay searches; the command line."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autoglyph.experiments.domain import Candidates, Domain, load_domain
    from autoglyph.experiments.objectives import Constraint, Objective, lacs, maximize, minimize
    from autoglyph.experiments.run import Run
    from autoglyph.experiments.store import Store, StoreError

__all__ = [
    "Candidates",
    "Constraint",
    "Domain",
    "Objective",
    "Run",
    "Store",
    "StoreError",
    "lacs",
    "load_domain",
    "maximize",
    "minimize",
]

_HOMES = {
    "Candidates": "domain",
    "Constraint": "objectives",
    "Domain": "domain",
    "Objective": "objectives",
    "Run": "run",
    "Store": "store",
    "StoreError": "store",
    "lacs": "objectives",
    "load_domain": "domain",
    "maximize": "objectives",
    "minimize": "objectives",
}


def __getattr__(name: str) -> Any:
    """Imports a public name on first use: commands that need no PyGlove start without it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
