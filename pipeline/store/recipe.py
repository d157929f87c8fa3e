"""Identifiers of the conversions made on this machine: a manifest records the one its files were made by."""

from __future__ import annotations

OPENCLIP_TOOL = "openclip/2"
"""Change it with anything that makes an older conversion of an image-text model useless."""
VLM_TOOL = "optimum-intel vlm 1"
"""Change it if describers have to be converted again."""
TOOLS = {"openclip": OPENCLIP_TOOL, "vlm": VLM_TOOL}
"""By a catalogue entry's `prepare`."""
