"""Update rules of three groups that may also read decays (Bello et al. 2017, Neural Optimizer Search)."""

from autoglyph.search_spaces.expressions.optimizer_space import optimizer_space
from autoglyph.search_spaces.expressions.vocabulary import OPTIMIZER_DECAYS

SPACE = optimizer_space(3, OPTIMIZER_DECAYS)
