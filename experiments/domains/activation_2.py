"""Activation functions of two core units (Swish's space), without a score of their own."""

from autoglyph.experiments.domain import Domain
from autoglyph.search_spaces.spaces.activation_2 import SPACE

DOMAIN = Domain(space=SPACE)
