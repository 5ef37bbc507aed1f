"""Define, launch, record, inspect and replay searches; the command line."""

from typing import TYPE_CHECKING

from autoglyph.search_spaces import lazy_names

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

__getattr__ = lazy_names.importer(__name__, _HOMES)
