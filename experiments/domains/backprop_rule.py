"""Back-propagation rules of 1 unit (Backprop Evolution), without a score of their own."""

from autoglyph.experiments.domain import Domain
from autoglyph.search_spaces.spaces.backprop_rule import SPACE

DOMAIN = Domain(space=SPACE)
