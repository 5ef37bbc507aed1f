"""What can be searched: spaces written in PyGlove, compiled to arrays, and the architecture language."""

from autoglyph.search_spaces.genome import Genome, Rows

__all__ = ["Genome", "Rows"]
