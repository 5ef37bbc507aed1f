"""The door for loops of PyGlove: importing this module registers `pg.sample(..., backend="autoglyph")`."""

from autoglyph.experiments.pyglove.backend import AutoglyphBackend

__all__ = ["AutoglyphBackend"]
