"""Formats of measured tables, one a file: columns by which a file is known, and how to read its networks."""
