"""Back-propagation rules of 2 units (Backprop Evolution), without a score of their own."""

from autoglyph.experiments.domain import Domain
from autoglyph.search_spaces.spaces.backprop_rule_2 import SPACE

DOMAIN = Domain(space=SPACE)
