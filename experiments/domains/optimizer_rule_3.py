"""Update rules of 3 groups (Neural Optimizer Search), without a score of their own."""

from autoglyph.experiments.domain import Domain
from autoglyph.search_spaces.spaces.optimizer_rule_3 import SPACE

DOMAIN = Domain(space=SPACE)
