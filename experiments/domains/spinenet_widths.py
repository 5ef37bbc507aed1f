"""Efficient SpineNet: widths of blocks at equal multiply-adds, costed as mobile RetinaNets at 384 pixels."""

from autoglyph.experiments.domain import Domain
from autoglyph.experiments.objectives import minimize
from autoglyph.search_spaces.spaces.spinenet_widths import SPACE

DOMAIN = Domain(space=SPACE, objectives=[minimize("latency_ms")], device="v100")
