"""Update rules of three groups that may also read decays (Bello et al. 2017, Neural Optimizer Search)."""

from autoglyph.search_spaces.expressions.optimizer_space import optimizer_space

SPACE = optimizer_space(3, with_decays=True)
