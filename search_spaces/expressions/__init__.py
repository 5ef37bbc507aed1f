"""Expressions as data: one typed core for activation functions, update rules and back-propagation rules."""
