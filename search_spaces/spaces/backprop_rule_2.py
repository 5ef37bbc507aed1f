"""Legal back-propagation rules of 2 units (after Alber et al. 2018, Backprop Evolution)."""

from autoglyph.search_spaces.expressions.backprop_space import backprop_space

SPACE = backprop_space(2)
