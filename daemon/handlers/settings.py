"""The commands `config`, `set` and `reset`: every setting, and those changed while it runs.

A change is checked as a whole before anything happens, then applied, then written to the overrides: all of
it, or none.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import tomli_w

from common.redact import redact
from daemon.config import reload_plan
from daemon.config.layers import LayerName, leaves, walk
from daemon.config.most_used import MOST_USED
from daemon.config.overrides import Drop, edited
from daemon.config.schema import KeyPath, Spec, dotted
from daemon.config.settings import SCHEMA, Loaded, Settings
from daemon.control.commands import ConfigCommand, ResetCommand, SetCommand
from daemon.errors import CommandError
from daemon.handlers.requests import Handler
from daemon.runtime.settings_updates import SettingsUpdater

CLOSED = (
    "paths.*",
    "control.*",
    "web.*",
    "mqtt.*",
    "keys.device",
    "capture.source",
    "describe.server_*",
    "describe.prompts",
    "describe.backend",
    "describe.model",
    "pipeline.model",
    "pipeline.device",
    "speech.engine",
    "*_file",
)
"""Settings that only `config.toml` may change: access, data that leaves this machine, files that are read,
and parts without which the daemon could not start."""
ABOVE: tuple[LayerName, ...] = ("environment", "command line")
"""Layers that beat the overrides."""
LARGEST = 200_000
"""Characters that all overrides may have together."""
TURN_S = 5.0
"""Seconds that a change waits until another client's change has ended."""
APPLY_S = 30.0
"""Seconds that applying may take: all danger phrases may have to be rendered."""


class SettingsHandler:
    """Answers the three commands. Used by any thread; changes are made one after the other."""

    def __init__(self, updater: SettingsUpdater, loaded: Loaded, defaults: Settings) -> None:
        self._updater = updater
        self._loaded = loaded
        self._defaults = dict(leaves(defaults.model_dump(mode="json")))
        self._lock = threading.Lock()

    def handlers(self) -> Mapping[str, Handler]:
        """By the name of the command; each raises CommandError or ConfigError."""
        return {"config": self.config, "set": self.set, "reset": self.reset}

    def config(self, _: ConfigCommand) -> Mapping[str, Any]:
        """Every setting as configured, and its running value if that differs."""
        # Read again: the file may have changed since the start, and the answer shows the difference.
        loaded = self._loaded.again(None)
        running = dict(leaves(self._updater.settings.model_dump(mode="json")))
        sections: dict[str, list[Mapping[str, Any]]] = {}
        for path, value in leaves(loaded.settings.model_dump(mode="json")):
            row = {**self._row(path, loaded), "value": shown(value)}
            # A setting that needs a restart, or whose file has been changed since.
            if running.get(path) != value:
                row["running"] = shown(running.get(path))
            sections.setdefault(path[0], []).append(row)
        return {
            "sections": [{"name": name, "settings": rows} for name, rows in sections.items()],
            "most_used": MOST_USED,
        }

    def set(self, wanted: SetCommand) -> Mapping[str, Any]:
        """Override settings. Raises ConfigError, CommandError; nothing has changed then."""
        for key, value in wanted.values.items():
            _require_toml(key, value)
        return self._change(wanted.values)

    def reset(self, wanted: ResetCommand) -> Mapping[str, Any]:
        """Drop overrides. Raises ConfigError, CommandError; nothing has changed then."""
        return self._change(dict.fromkeys(wanted.keys, Drop.IT))

    def _change(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        # Held over reading, checking and applying: two changes at once could each undo the other.
        if not self._lock.acquire(timeout=TURN_S):
            raise CommandError("somebody else is changing settings; try again in a moment", "busy")
        try:
            now = self._loaded.again(None)
            overriding = edited(now.overrides, values)
            _require_open(values, now)
            if len(tomli_w.dumps(overriding)) > LARGEST:
                raise CommandError(f"all overrides together may have {LARGEST} characters at most", "invalid")
            # All layers together are checked: values that are fine alone can contradict each other.
            new = now.again(overriding)
            # A daemon that watches for nothing would look as if it protected.
            if not any(hazard.enabled for hazard in new.settings.hazards.values()):
                raise CommandError("every hazard would be disabled; leave one enabled", "invalid")
            plan = self._updater.change(new.settings, values, APPLY_S)
        finally:
            self._lock.release()
        return {"changed": list(plan.live), "needs_restart": list(plan.restart)}

    def _row(self, path: KeyPath, loaded: Loaded) -> dict[str, Any]:
        spec = SCHEMA.at(path) or {}
        layer = loaded.origins.get(path)
        named = "default" if layer is None else layer.name
        return {
            "key": dotted(path),
            "default": shown(self._defaults.get(path)),
            "layer": named,
            "where": None if layer is None or named == "default" else layer.where(path),
            "live": reload_plan.is_live(dotted(path)),
            "settable": not is_file_only(dotted(path)) and named not in ABOVE,
            "description": _description(path),
            **bounds(spec),
        }


def _description(path: KeyPath) -> str:
    # A table such as describe.server_extra describes its fields together: their names are not known.
    spec = SCHEMA.at(path) or SCHEMA.at(path[:-1]) or {}
    return str(spec.get("description", ""))


def shown(value: Any) -> Any:
    """A value with credentials taken out of its addresses."""
    if isinstance(value, str):
        return redact(value)
    return [shown(one) for one in value] if isinstance(value, list) else value


def is_file_only(key: str) -> bool:
    """True if only `config.toml` may set this key."""
    # With a dot as well: `web.*` must also refuse the whole table `web`.
    return any(fnmatchcase(key, pattern) or fnmatchcase(f"{key}.", pattern) for pattern in CLOSED)


def bounds(spec: Spec) -> Mapping[str, Any]:
    """The type (several with `|` between them), the choices, the minimum and the maximum of a setting."""
    # A setting with several types (a number or "auto") is an `anyOf` in JSON Schema.
    options = spec.get("anyOf", [spec])
    types = dict.fromkeys(str(one["type"]) for one in options if "type" in one)
    choices = [
        value for one in options for value in one.get("enum", [one[c] for c in ("const",) if c in one])
    ]
    return {
        "type": "|".join(types) or "string",
        "choices": choices or None,
        "minimum": _first(options, "minimum", "exclusiveMinimum"),
        "maximum": _first(options, "maximum", "exclusiveMaximum"),
    }


def _first(options: list[Spec], *names: str) -> Any:
    return next((one[name] for one in options for name in names if name in one), None)


def _require_open(values: Mapping[str, Any], now: Loaded) -> None:
    """Raises CommandError if a setting may only be set in the file, or if a higher layer overrides it."""
    for path in _paths(values):
        key = dotted(path)
        if is_file_only(key):
            raise CommandError(f"{key}: can only be set in config.toml", "invalid")
        layer = now.origins.get(path)
        if layer is not None and layer.name in ABOVE and values.get(key) is not Drop.IT:
            raise CommandError(f"{key}: the {layer.where(path)} beats what is set here", "invalid")
        # Dropping an override stays possible under a higher layer: it changes what holds after that is gone.
        if values.get(key) is Drop.IT and not _overridden(path, now):
            # Not ignored: a mistyped key must not look like success.
            raise CommandError(f"{key}: is not overridden", "unknown")


def _overridden(path: KeyPath, now: Loaded) -> bool:
    return any(
        layer.name == "overrides" and written[: len(path)] == path for written, layer in now.origins.items()
    )


def _paths(values: Mapping[str, Any]) -> Iterator[KeyPath]:
    """The path of every setting in `values`, including those inside tables."""
    for key, value in values.items():
        path = tuple(key.split("."))
        if isinstance(value, dict) and value:
            yield from walk(value, path)
        else:
            yield path


def _require_toml(key: str, value: Any) -> None:
    """Raises CommandError for a value that TOML cannot hold, or JSON should not."""
    if isinstance(value, dict):
        for name, inner in value.items():
            _require_toml(f"{key}.{name}", inner)
    elif isinstance(value, list):
        for inner in value:
            _require_toml(key, inner)
    elif value is None:
        raise CommandError(f"{key}: has no value; `reset` drops an override", "invalid")
    # TOML has inf and nan, JSON (RFC 8259) has not: the settings page could not show them.
    elif isinstance(value, float) and not math.isfinite(value):
        raise CommandError(f"{key}: is no finite number", "invalid")
