"""Activation functions of one core unit: 6,250 points (Swish's space), without a score of their own."""

from autoglyph.experiments.domain import Domain
from autoglyph.search_spaces.spaces.activation import SPACE

DOMAIN = Domain(space=SPACE)
