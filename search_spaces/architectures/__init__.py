"""Families of networks: how blocks make a whole, one family a file."""
