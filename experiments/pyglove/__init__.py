"""The door for loops of PyGlove: importing this module registers `pg.sample(..., backend="autoglyph")`."""

from autoglyph.experiments.pyglove.backend import AutoglyphBackend, record_loops

__all__ = ["AutoglyphBackend", "record_loops"]
