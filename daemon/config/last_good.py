"""Keeps a copy of the last valid configuration, for a start at which the current one is invalid.

The copy merges `config.toml` and `overrides.toml` and lies in the state folder. Its first line names the file
it was made from: a trial run with another file must not become the configuration of the service.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from common import atomic_file
from daemon import paths
from daemon.config.layers import Layer, put, read_file, walk
from daemon.config.settings import Loaded, overrides_file
from daemon.config.sources import named_file
from daemon.config.text_file import read_text
from daemon.errors import ConfigError

LAST_GOOD = "last_good.toml"
_FILES = ("config", "overrides")
_NOTE = "# A service whose configuration has a mistake starts with these. Not meant to be edited."


def keep(loaded: Loaded) -> None:
    """Write the copy if anything has changed. Raises OSError."""
    tree: dict[str, Any] = {}
    config = ""
    for layer in loaded.layers:
        if layer.name in _FILES:
            config = layer.source if layer.name == "config" else config
            for path in walk(layer.values):
                put(tree, path, _at(layer.values, path))
    file = loaded.overrides.with_name(LAST_GOOD)
    # The origin comes first, so that `find` compares one line and need not parse.
    text = f"{_first_line(config)}\n{_NOTE}\n\n{tomli_w.dumps(tree)}"
    # Most starts change nothing. Writing anyway would wear out a flash card.
    if _text(file) != text:
        file.parent.mkdir(parents=True, exist_ok=True)
        # Cameras' addresses hold passwords: the copy is for its owner alone, even if the original is not.
        atomic_file.write(file, text, mode=0o600)


def find(config: Path | None, env: Mapping[str, str], cli: Mapping[str, Any]) -> Layer | None:
    """The copy of the files that would be read now, if one was kept."""
    try:
        file = overrides_file(config, env, cli).with_name(LAST_GOOD)
    # If not even the folders can be read, the default ones are used.
    except ConfigError:
        file = Path(str(paths.resolved({}, env)["state"]), LAST_GOOD)
    text = _text(file)
    # Another configuration file was tried: its last good settings are not those of this service.
    if text is None or text.partition("\n")[0] != _first_line(_current(config, env)):
        return None
    try:
        return read_file(file, "config")
    # A damaged copy is as good as none.
    except ConfigError:
        return None


def _first_line(config: str) -> str:
    return f"# Last good settings of {Path(config).absolute() if config else 'no file'}"


def _current(config: Path | None, env: Mapping[str, str]) -> str:
    named = named_file(config, env) or next((p for p in paths.config_files(env) if p.exists()), None)
    return str(named) if named else ""


def _at(values: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    for name in path:
        values = values[name]
    return values


def _text(file: Path) -> str | None:
    try:
        return read_text(file)
    except ConfigError:
        return None
