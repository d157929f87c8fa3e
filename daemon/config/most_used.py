"""The settings that most people change: first in `config.toml`, and first on the page."""

from __future__ import annotations

MOST_USED = (
    "capture.source",
    "capture.rotate",
    "capture.mirror",
    "capture.facing",
    "speech.language",
    "speech.rate_wpm",
    "speech.volume",
    "speech.verbosity",
    "speech.device",
    "speech.engine",
    "keys.device",
    "pipeline.model",
    "pipeline.device",
    "describe.backend",
    "describe.model",
    "describe.server_url",
    "web.address",
    "web.token_file",
    "mqtt.enabled",
    "mqtt.host",
)
"""In the order in which people come to them."""
