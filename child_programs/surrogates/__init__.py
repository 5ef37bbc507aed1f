"""Accuracy surrogates: a regression on a published table, one JSON file each, and how to evaluate them."""
