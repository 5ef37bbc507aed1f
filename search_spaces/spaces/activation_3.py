"""Activation functions of 3 core units, each reading x or a unit before it (Ramachandran et al. 2017)."""

from autoglyph.search_spaces.expressions.activations import activation_space

SPACE = activation_space(3)
