"""How to choose the next individual: one algorithm a file, each a fold with `ask` and `tell`."""

from autoglyph.algorithms.base import Algorithm, Outcomes, Proposals
from autoglyph.algorithms.pyglove_generator import PyGloveGenerator, as_generator

__all__ = ["Algorithm", "Outcomes", "Proposals", "PyGloveGenerator", "as_generator"]
