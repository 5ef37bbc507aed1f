"""Whole experiments, each a file that is run with `python -m autoglyph.experiments.presets.NAME`."""
