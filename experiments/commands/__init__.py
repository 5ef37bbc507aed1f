"""The commands, one a file: its name is the command, its `command` function what it does."""
