"""Define, launch, record, inspect and replay searches; the command line."""
