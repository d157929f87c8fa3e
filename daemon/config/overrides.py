"""`overrides.toml`: settings that were changed while the daemon ran, kept for the next start."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import tomli_w

from common import atomic_file
from daemon.config.layers import put, read_file
from daemon.config.schema import KeyPath

# Two threads may keep different keys: reading and writing the file must not interleave.
_WRITING = threading.Lock()


class Drop(Enum):
    """Used as a value: the override is to be removed."""

    IT = "drop"


def keep(file: Path, values: Mapping[str, Any]) -> None:
    """Add values by dotted key to the present overrides. Raises OSError, ConfigError."""
    with _WRITING:
        text = tomli_w.dumps(edited(file, values))
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic_file.write(file, text)


def edited(file: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """The result of `keep`, without changing the file. Raises ConfigError."""
    layer = read_file(file, "overrides")
    tree = dict(layer.values) if layer else {}
    for key, value in values.items():
        path = tuple(key.split("."))
        if value is Drop.IT:
            drop(tree, path)
        else:
            put(tree, path, value)
    return tree


def drop(tree: dict[str, Any], path: KeyPath) -> bool:
    """Remove a value, and the sections that it leaves empty; False if there is none."""
    name, *rest = path
    if name not in tree:
        return False
    if rest:
        inner = tree[name]
        if not isinstance(inner, dict) or not drop(inner, tuple(rest)):
            return False
        if inner:
            return True
    del tree[name]
    return True
