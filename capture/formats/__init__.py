"""Reads the format of a file before it is decoded."""
