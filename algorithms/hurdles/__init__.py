"""Hurdle rules: who is trained further. One rule a file; any rule goes with any algorithm."""

from autoglyph.algorithms.hurdles.base import Finished, HurdleRule, NewHurdle
from autoglyph.algorithms.hurdles.catalog import available, get

__all__ = ["Finished", "HurdleRule", "NewHurdle", "available", "get"]
