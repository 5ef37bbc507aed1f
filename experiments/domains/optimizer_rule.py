"""Update rules of 1 group (Neural Optimizer Search), without a score of their own."""

from autoglyph.experiments.domain import Domain
from autoglyph.search_spaces.spaces.optimizer_rule import SPACE

DOMAIN = Domain(space=SPACE)
