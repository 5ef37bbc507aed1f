"""The live page over a record: `autoglyph serve`."""
