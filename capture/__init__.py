"""Pixels in: cameras, streams and files become `Frame`s."""
