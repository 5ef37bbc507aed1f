"""The built-in search spaces: the name of a space is the name of its file, which defines SPACE."""
