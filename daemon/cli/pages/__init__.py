"""Generates the man page and the completions from the command line's parsers."""
