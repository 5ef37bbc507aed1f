"""Searchable building blocks, one a file, each written once in the architecture language."""
