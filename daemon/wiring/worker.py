"""Selects the settings that the worker process receives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from daemon.config.settings import Settings


def settings_for_worker(settings: Settings, model: str) -> Mapping[str, Any]:
    """The settings for the worker: the detector's model on one core of the processor."""
    tree = settings.model_dump(mode="json")
    # One thread and no accelerator: the camera's detector must not become slower.
    tree["pipeline"] |= {"model": model, "device": "CPU", "threads": 1}
    # The source may hold credentials, and the worker opens none.
    tree["capture"]["source"] = "auto"
    return tree
