"""Activation functions of one core unit: 25 x 25 x 10 = 6,250 points (Ramachandran et al. 2017)."""

from autoglyph.search_spaces.expressions.activations import activation_space

SPACE = activation_space(1)
