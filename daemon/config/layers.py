"""The layers a setting can come from: trees of plain values that know where each value was written."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from daemon.config.schema import KeyPath, Schema, dotted, takes_text
from daemon.config.text_file import read_text
from daemon.config.toml_mistakes import SyntaxMistake, parse
from daemon.errors import ConfigError

LayerName = Literal["default", "config", "overrides", "environment", "command line"]
PREFIX = "WATCHWORD_"
RESERVED = frozenset({"WATCHWORD_CONFIG", "WATCHWORD_MEDIA"})
"""Variables that are no settings: the file to read, and the folder of labelled pictures for the tests."""

_HEADER = re.compile(r"\s*\[{1,2}\s*([^\[\]]+?)\s*\]")
_PART = re.compile(r"""\s*(?:"[^"]*"|'[^']*'|[^."']+)""")
_KEY = re.compile(r"\s*([\w\"'.-]+)\s*=")


@dataclass(frozen=True)
class Layer:
    """Settings from one place, as a tree of plain values."""

    name: LayerName
    values: Mapping[str, Any]
    source: str = ""
    """The file the values stand in, if any."""
    places: Mapping[KeyPath, str] = field(default_factory=dict)
    """The place of each value: a line number or the name of a variable."""
    mistakes: tuple[SyntaxMistake, ...] = ()
    """Syntax errors of the file; `values` hold the rest."""

    def place(self, path: KeyPath) -> str:
        """The line or variable of the value at `path`, else of the first below it, else of its section."""
        if path in self.places:
            return self.places[path]
        depth = len(path)
        inside = next((place for other, place in self.places.items() if other[:depth] == path), "")
        above = (self.places[path[:end]] for end in range(depth - 1, 0, -1) if path[:end] in self.places)
        return inside or next(above, "")

    def where(self, path: KeyPath) -> str:
        """The file and line, or the layer and variable, of the value at `path`."""
        place = self.place(path)
        if self.source:
            return f"{self.source}:{place}" if place else self.source
        return f"{self.name} {place}".rstrip()

    def syntax_problems(self) -> Iterator[tuple[int, str]]:
        """The line number and the message of each mistake in the file's syntax."""
        for mistake in self.mistakes:
            line = f":{mistake.line}" if mistake.line else ""
            yield mistake.line, f"{self.source}{line}: {mistake.message}"


def read_layer(path: Path, name: LayerName) -> Layer | None:
    """The layer written in a TOML file, as far as its syntax holds; None if there is no file.

    Raises ConfigError if it is no text file.
    """
    text = read_text(path)
    if text is None:
        return None
    values, mistakes = parse(text)
    return Layer(name, values, str(path), _line_numbers(text), mistakes)


def read_file(path: Path, name: LayerName) -> Layer | None:
    """The layer written in a TOML file; None if there is no file. Raises ConfigError."""
    layer = read_layer(path, name)
    if layer and layer.mistakes:
        raise ConfigError(*(message for _, message in layer.syntax_problems()))
    return layer


def _line_numbers(text: str) -> dict[KeyPath, str]:
    section: KeyPath = ()
    places: dict[KeyPath, str] = {}
    # Only "\n" ends a line in TOML; str.splitlines would also split at other signs within a text.
    for number, line in enumerate(text.split("\n"), start=1):
        if header := _HEADER.match(line):
            section = _split(header[1])
            # The first place counts: a second one is a mistake, which is reported for itself.
            places.setdefault(section, str(number))
        elif key := _KEY.match(line):
            places.setdefault((*section, *_split(key[1])), str(number))
    return places


def _split(name: str) -> KeyPath:
    """The parts of a name as TOML reads it: a dot within quotes separates nothing."""
    return tuple(part.strip().strip("\"'") for part in _PART.findall(name))


def from_environment(env: Mapping[str, str], schema: Schema) -> Layer:
    """`WATCHWORD_SPEECH__RATE_WPM=200` sets `speech.rate_wpm`; upper and lower case are the same."""
    values: dict[str, Any] = {}
    places: dict[KeyPath, str] = {}
    # Sorted: which of two spellings of one variable wins must not depend on their order.
    for variable in sorted(env):
        if variable.upper().startswith(PREFIX) and variable.upper() not in RESERVED:
            path = tuple(variable[len(PREFIX) :].lower().split("__"))
            put(values, path, decode(env[variable], path, schema))
            places[path] = variable
    return Layer("environment", values, places=places)


def decode(text: str, path: KeyPath, schema: Schema) -> object:
    """A value written as bare text (in a variable, behind an option): TOML, unless its setting takes text."""
    if takes_text(schema.at(path) or {}):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    # Text without quotes is text; its setting's type decides whether it is accepted.
    except (tomllib.TOMLDecodeError, RecursionError):
        return text


def from_command_line(values: Mapping[str, Any]) -> Layer:
    """Values by dotted key, as the command line's options name them; None is an option not given."""
    tree: dict[str, Any] = {}
    for key, value in values.items():
        # argparse gives None for an option that was left out.
        if value is not None:
            put(tree, tuple(key.split(".")), value)
    return Layer("command line", tree)


def put(tree: dict[str, Any], path: KeyPath, value: object) -> None:
    """Set a value deep in a tree. Raises ConfigError if a value stands in the way of a section."""
    for depth, name in enumerate(path[:-1], start=1):
        # `a = 1` and `a.b = 2` exclude each other.
        tree = tree.setdefault(name, {})
        if not isinstance(tree, dict):
            raise ConfigError(f"{dotted(path)}: {dotted(path[:depth])} is given a value of its own too")
    tree[path[-1]] = value


def origins(layers: tuple[Layer, ...]) -> dict[KeyPath, Layer]:
    """The layer that each value comes from: the last of them that has it."""
    found: dict[KeyPath, Layer] = {}
    # Later layers overwrite earlier ones.
    for layer in layers:
        found.update(dict.fromkeys(walk(layer.values), layer))
    return found


def walk(values: Mapping[str, Any], path: KeyPath = ()) -> Iterator[KeyPath]:
    """The path of every value in a tree, empty sections included."""
    for name, value in values.items():
        # An empty section counts as a value, so that a message can name its place.
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
