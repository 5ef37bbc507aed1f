"""Autoglyph inside Ray Tune: a searcher and a scheduler for `tune.Tuner`.

Importing a name from here imports Ray; nothing else of Autoglyph imports this package.
"""

from typing import TYPE_CHECKING

from autoglyph.search_spaces import lazy_names

if TYPE_CHECKING:
    from autoglyph.experiments.ray_tune.hurdles import ProgressiveDynamicHurdles
    from autoglyph.experiments.ray_tune.searcher import AutoglyphSearcher, individual

__all__ = ["AutoglyphSearcher", "ProgressiveDynamicHurdles", "individual"]

_HOMES = {"AutoglyphSearcher": "searcher", "ProgressiveDynamicHurdles": "hurdles", "individual": "searcher"}

__getattr__ = lazy_names.importer(__name__, _HOMES)
