"""Update rules of four groups that may also read decays, which AddSign with a decay takes (Bello et al. 2017)."""

from autoglyph.search_spaces.expressions.optimizer_space import optimizer_space
from autoglyph.search_spaces.expressions.vocabulary import OPTIMIZER_DECAYS

SPACE = optimizer_space(4, OPTIMIZER_DECAYS)
