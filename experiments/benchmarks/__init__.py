"""Benchmarks: each file measures one claim of speed or quality; `autoglyph bench NAME` runs it."""
