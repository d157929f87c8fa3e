"""The layers a setting can come from, and how the upper ones cover the lower."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from daemon.config.schema import KeyPath, Schema, dotted, takes_text
from daemon.errors import ConfigError

LayerName = Literal["default", "config", "overrides", "environment", "command line"]
PREFIX = "WATCHWORD_"
RESERVED = frozenset({"WATCHWORD_CONFIG", "WATCHWORD_MEDIA"})
"""Variables that are no settings: the file to read, and where the tests find labelled pictures."""

_HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]")
_KEY = re.compile(r"\s*([\w\"'.-]+)\s*=")


@dataclass(frozen=True)
class Layer:
    """Settings from one place, as a tree of plain values."""

    name: LayerName
    values: Mapping[str, Any]
    source: str = ""
    """The file the values stand in, if any."""
    places: Mapping[KeyPath, str] = field(default_factory=dict)
    """Where exactly a value stands: a line number or the name of a variable."""

    def where(self, path: KeyPath) -> str:
        """Where the value at `path` was written, as precisely as it is known."""
        place = self.places.get(path, "")
        if self.source:
            return f"{self.source}:{place}" if place else self.source
        return f"{self.name} {place}".rstrip()


def read_file(path: Path, name: LayerName) -> Layer | None:
    """The layer written in a TOML file; None where the file does not exist. Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
        return Layer(name, tomllib.loads(text), str(path), _line_numbers(text))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); --config names another") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from None
    except RecursionError:
        raise ConfigError(f"{path}: is nested too deeply") from None


def _line_numbers(text: str) -> dict[KeyPath, str]:
    section: KeyPath = ()
    places: dict[KeyPath, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            section = _split(header[1])
            places.setdefault(section, str(number))
        elif key := _KEY.match(line):
            places.setdefault((*section, *_split(key[1])), str(number))
    return places


def _split(name: str) -> KeyPath:
    return tuple(part.strip().strip("\"'") for part in name.split("."))


def from_environment(env: Mapping[str, str], schema: Schema) -> Layer:
    """`WATCHWORD_SPEECH__RATE_WPM=200` sets `speech.rate_wpm`; upper and lower case are the same."""
    values: dict[str, Any] = {}
    places: dict[KeyPath, str] = {}
    for variable in sorted(env):
        if variable.upper().startswith(PREFIX) and variable.upper() not in RESERVED:
            path = tuple(variable[len(PREFIX) :].lower().split("__"))
            put(values, path, _decoded(env[variable], takes_text(schema.at(path) or {})))
            places[path] = variable
    return Layer("environment", values, places=places)


def _decoded(text: str, is_text: bool) -> object:
    if is_text:
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return text


def from_command_line(values: Mapping[str, Any]) -> Layer:
    """Values by dotted key, as the command line's options name them; None is an option not given."""
    tree: dict[str, Any] = {}
    for key, value in values.items():
        if value is not None:
            put(tree, tuple(key.split(".")), value)
    return Layer("command line", tree)


def put(tree: dict[str, Any], path: KeyPath, value: object) -> None:
    """Set a value deep in a tree. Raises ConfigError where a value stands in the way of a section."""
    for depth, name in enumerate(path[:-1], start=1):
        tree = tree.setdefault(name, {})
        if not isinstance(tree, dict):
            raise ConfigError(f"{dotted(path)}: {dotted(path[:depth])} is given a value of its own too")
    tree[path[-1]] = value


def merge(layers: tuple[Layer, ...]) -> tuple[dict[str, Any], dict[KeyPath, Layer]]:
    """One tree out of all layers, lowest first, and the layer each value came from."""
    tree: dict[str, Any] = {}
    origins: dict[KeyPath, Layer] = {}
    for layer in layers:
        _cover(tree, layer.values)
        origins.update(dict.fromkeys(walk(layer.values), layer))
    return tree, origins


def _cover(tree: dict[str, Any], values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        below = tree.get(name)
        if isinstance(value, dict) and isinstance(below, dict):
            _cover(below, value)
        else:
            tree[name] = _copied(value)


def _copied(value: object) -> object:
    if isinstance(value, dict):
        return {name: _copied(inner) for name, inner in value.items()}
    return value


def walk(values: Mapping[str, Any], path: KeyPath = ()) -> Iterator[KeyPath]:
    """The path of every value in a tree, empty sections included."""
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from walk(value, (*path, name))
        else:
            yield (*path, name)


def leaves(tree: Mapping[str, Any], path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """The path and value of every setting in a tree."""
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, name))
        else:
            yield (*path, name), value
