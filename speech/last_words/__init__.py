"""Prepared sounds for a program that cannot start: they need no part that may be broken."""
