"""Update rules of 2 groups (Neural Optimizer Search), without a score of their own."""

from autoglyph.experiments.domain import Domain
from autoglyph.search_spaces.spaces.optimizer_rule_2 import SPACE

DOMAIN = Domain(space=SPACE)
