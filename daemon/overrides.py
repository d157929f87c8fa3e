"""`overrides.toml`: settings that were changed while it ran, kept for the next start."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import tomli_w

from daemon.settings_layers import put, read_file

_WRITING = threading.Lock()


def keep(file: Path, values: Mapping[str, Any]) -> None:
    """Add values by dotted key to what is overridden already. Raises OSError, ConfigError."""
    with _WRITING:
        layer = read_file(file, "overrides")
        tree = dict(layer.values) if layer else {}
        for key, value in values.items():
            put(tree, tuple(key.split(".")), value)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, tomli_w.dumps(tree))


def write_atomically(file: Path, text: str) -> None:
    """Replace a file so that a reader, or a power cut, finds the old text or the new one, never a part."""
    new = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with new.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileNotFoundError):
            shutil.copymode(file, new)
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)
