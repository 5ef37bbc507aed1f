"""Update rules of one group over the operands of Bello et al. 2017 and the averages of momentum, RMSProp and Lion."""

from autoglyph.search_spaces.expressions.optimizer_space import optimizer_space
from autoglyph.search_spaces.expressions.vocabulary import OPTIMIZER_EXTENDED

SPACE = optimizer_space(1, OPTIMIZER_EXTENDED)
