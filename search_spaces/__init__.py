"""What can be searched: spaces written in PyGlove, compiled to arrays, and the architecture language."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autoglyph.search_spaces.architecture import Architecture, Segment
    from autoglyph.search_spaces.genome import Genome, Rows
    from autoglyph.search_spaces.net import Net, Tensor
    from autoglyph.search_spaces.space import SearchSpace, load_space

__all__ = ["Architecture", "Genome", "Net", "Rows", "SearchSpace", "Segment", "Tensor", "load_space"]

_HOMES = {
    "Architecture": "architecture",
    "Genome": "genome",
    "Net": "net",
    "Rows": "genome",
    "SearchSpace": "space",
    "Segment": "architecture",
    "Tensor": "net",
    "load_space": "space",
}


def __getattr__(name: str) -> Any:
    """Imports a public name on first use: commands that need no PyGlove start without it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
