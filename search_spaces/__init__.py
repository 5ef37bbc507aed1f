"""What can be searched: spaces written in PyGlove, compiled to arrays, and the architecture language."""

from typing import TYPE_CHECKING

from autoglyph.search_spaces import lazy_names

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

__getattr__ = lazy_names.importer(__name__, _HOMES)
