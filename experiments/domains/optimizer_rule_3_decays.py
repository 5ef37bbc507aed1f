"""Update rules of three groups with decays (Neural Optimizer Search), without a score of their own."""

from autoglyph.experiments.domain import Domain
from autoglyph.search_spaces.spaces.optimizer_rule_3_decays import SPACE

DOMAIN = Domain(space=SPACE)
