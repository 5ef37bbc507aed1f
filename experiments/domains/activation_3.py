"""Activation functions of three core units (Swish's space), without a score of their own."""

from autoglyph.experiments.domain import Domain
from autoglyph.search_spaces.spaces.activation_3 import SPACE

DOMAIN = Domain(space=SPACE)
