"""Update rules of 2 groups of five tokens (Bello et al. 2017, Neural Optimizer Search)."""

from autoglyph.search_spaces.expressions.optimizer_space import optimizer_space

SPACE = optimizer_space(2)
