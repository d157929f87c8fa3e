"""The folders of the program: systemd's for a unit, else the XDG base directories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

AUTO = "auto"
NAME = "watchword"


def config_files(env: Mapping[str, str]) -> Iterator[Path]:
    """Paths of the configuration file if none is named; the first that exists is read."""
    yield Path("config.toml")
    yield _xdg(env, "XDG_CONFIG_HOME", ".config") / "config.toml"
    yield Path("/etc") / NAME / "config.toml"


def resolved(section: Mapping[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    """The `[paths]` section with every `auto` and leading `~/` replaced."""
    chosen = {name: _expanded(path, env) for name, path in section.items() if path != AUTO}
    return {**_automatic(env), **chosen}


def _automatic(env: Mapping[str, str]) -> dict[str, str]:
    """A unit's folders come as lists in STATE_DIRECTORY and CACHE_DIRECTORY (systemd.exec)."""
    # systemd.exec(5): a unit may list several folders, separated by colons; ours lists one.
    unit_state = env.get("STATE_DIRECTORY", "").split(":")[0]
    unit_cache = env.get("CACHE_DIRECTORY", "").split(":")[0]
    state = unit_state or _xdg(env, "XDG_STATE_HOME", ".local/state")
    # systemd.exec(5) knows no data directory for a unit, so its models lie in the state directory.
    data = unit_state or _xdg(env, "XDG_DATA_HOME", ".local/share")
    cache = unit_cache or _xdg(env, "XDG_CACHE_HOME", ".cache")
    return {"models": str(Path(data) / "models"), "state": str(state), "cache": str(cache)}


def _xdg(env: Mapping[str, str], variable: str, fallback: str) -> Path:
    """Our folder in a base directory; the specification ignores relative ones."""
    base = Path(env.get(variable, ""))
    # XDG Base Directory Specification: "All paths must be absolute"; others are to be ignored.
    return (base if base.is_absolute() else _home(env) / fallback) / NAME


def _expanded(path: object, env: Mapping[str, str]) -> object:
    if isinstance(path, str) and path.startswith("~/"):
        return str(_home(env) / path[2:])
    return path


def _home(env: Mapping[str, str]) -> Path:
    return Path(env["HOME"]) if env.get("HOME") else Path.home()
