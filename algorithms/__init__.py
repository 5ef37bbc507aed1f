"""How to choose the next individual: one algorithm a file, each a fold with `ask` and `tell`."""

from autoglyph.algorithms.base import Algorithm, Outcomes, Proposals

__all__ = ["Algorithm", "Outcomes", "Proposals"]
