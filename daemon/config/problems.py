"""Problems of the settings, one line each that a person can act on."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from common.redact import redact
from daemon.config.layers import PREFIX, Layer
from daemon.config.schema import ENTRY, KeyPath, Schema, Spec, allowed, dotted
from daemon.errors import ConfigError

_DEFAULTS = Layer("default", {})
MOST_SHOWN = 40
"""Lines that are printed about one configuration at most: a wrong file would fill the screen."""
_LONGEST_VALUE = 120
RENAMED: Mapping[KeyPath, KeyPath] = {("desk",): ("web",), ("guests",): ("worker",)}
"""Sections by a name they once had, for the hint only."""


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """A message, and the file and line by which messages are sorted."""

    layer: str
    line: int
    text: str


def refusal(problems: Collection[SettingProblem], layers: tuple[Layer, ...]) -> ConfigError:
    """The error that lists the problems, file by file and line by line; the first `MOST_SHOWN` of them."""
    # Mistakes appear in the order of the layers, and not in that of the checks.
    rank = {layer.source or layer.name: number for number, layer in enumerate(layers)}
    told = [*problems, *_uncovered_syntax(layers, problems)]
    lines = [p.text for p in sorted(told, key=lambda p: (rank.get(p.layer, len(rank)), p.line))]
    more = len(lines) - MOST_SHOWN
    return ConfigError(*lines[:MOST_SHOWN], *([f"and {more} more mistakes like these"] if more > 0 else []))


def _uncovered_syntax(
    layers: tuple[Layer, ...], problems: Collection[SettingProblem]
) -> list[SettingProblem]:
    """Syntax errors, except in lines with a problem of their own, whose message says more."""
    covered = {(problem.layer, problem.line) for problem in problems if problem.line}
    found = [
        SettingProblem(layer.source, line, text) for layer in layers for line, text in layer.syntax_problems()
    ]
    return [problem for problem in found if (problem.layer, problem.line) not in covered]


def setting_problems(
    error: ValidationError, schema: Schema, origins: Mapping[KeyPath, Layer]
) -> list[SettingProblem]:
    """One line for each setting at fault."""
    found: dict[KeyPath, SettingProblem] = {}
    for detail in error.errors(include_url=False):
        # pydantic reports each branch of a union; one line for each setting is enough.
        path = _setting(detail, schema)
        if path not in found:
            # A hint costs a search through all settings: none for lines that are cut off.
            hinted = len(found) < MOST_SHOWN
            layer = layer_of(path, origins)
            found[path] = problem_at(layer, path, _line(detail, path, schema, layer, hinted=hinted))
    return list(found.values())


def problem_at(layer: Layer, path: KeyPath, text: str) -> SettingProblem:
    place = layer.place(path)
    return SettingProblem(layer.source or layer.name, int(place) if place.isdecimal() else 0, text)


def _setting(detail: ErrorDetails, schema: Schema) -> KeyPath:
    """The setting an error is about: its location up to list positions and branches of unions."""
    path: KeyPath = tuple(str(part) for part in detail["loc"])
    # The path of an unknown key is not in the schema by definition.
    if detail["type"] == "extra_forbidden":
        return path
    while path and schema.at(path) is None:
        path = path[:-1]
    return path


def _line(detail: ErrorDetails, path: KeyPath, schema: Schema, layer: Layer, *, hinted: bool) -> str:
    head = f"{layer.where(path)}: {short(dotted(path))}"
    if detail["type"] == "extra_forbidden":
        return f"{head}: no such setting{_hint(path, layer, schema) if hinted else ''}"
    if detail["type"] == "missing":
        return f"{head}: is missing"
    head = f"{head} = {shown(detail['input'])}"
    if detail["type"] == "value_error":  # from a validator of ours, which names the cure
        return f"{head}: {detail['msg'].removeprefix('Value error, ')}"
    spec = schema.at(path) or {}
    description = f" ({spec['description']})" if spec.get("description") else ""
    return f"{head}: {_wanted(detail, spec)}{_without_quotes(detail, layer)}{description}"


def _wanted(detail: ErrorDetails, spec: Spec) -> str:
    """The value that is expected, by what is wrong with the present one."""
    match detail["type"]:
        # Text it is already: "should be text" would send its author looking for quotes.
        case "string_pattern_mismatch":
            examples = " or ".join(json.dumps(one) for one in spec.get("examples", ()))
            return f"should be written like {examples}" if examples else "is not written as it should be"
        case "string_too_long":
            return f"has {len(detail['input'])} characters; {detail['ctx']['max_length']} at most"
        case "too_long":
            return f"has {len(detail['input'])} entries; {detail['ctx']['max_length']} at most"
        case "string_too_short":
            return "must not be empty"
    return f"should be {allowed(spec)}"


def _without_quotes(detail: ErrorDetails, layer: Layer) -> str:
    """A hint if a file has a number or a switch in quotes; other layers are written without."""
    written = detail["input"]
    bare = isinstance(written, str) and re.fullmatch(r"[+-]?\d+(?:\.\d+)?|true|false", written.strip())
    return ", without quotes" if bare and layer.source else ""


def layer_of(path: KeyPath, origins: Mapping[KeyPath, Layer]) -> Layer:
    """The layer of the value at `path`, or the topmost that has something in it."""
    if path in origins:
        return origins[path]
    # A section has no origin of its own: the highest layer with a value in it stands for it.
    inside = [layer for written, layer in origins.items() if written[: len(path)] == path]
    return inside[-1] if inside else _DEFAULTS


def _hint(path: KeyPath, layer: Layer, schema: Schema) -> str:
    # A whole name below a table: TOML reads it as a part of that table.
    if schema.names(path[:-1]) != (ENTRY,) and path[-1] in schema.names(()) and len(path) > 1:
        return f"; names of other sections belong above the line [{dotted(path[:-1])}]"
    # A name in quotes is one name to TOML, dots and all.
    if "." in path[-1] and schema.at((*path[:-1], *path[-1].split("."))) is not None:
        return f"; write {path[-1]} without the quotes around the name"
    near = RENAMED.get(path) or schema.nearest(path)
    if near is None:
        return ""
    if layer.name != "environment":
        return f'; did you mean "{dotted(near)}"?'
    # The name of a variable may hold a setting below the one at fault.
    variable = layer.place(path).upper().removeprefix(PREFIX)
    rest = tuple(variable.lower().split("__"))[len(path) :]
    meant = (*near, *rest) if schema.at((*near, *rest)) is not None else near
    return f'; did you mean "{PREFIX}{"__".join(meant).upper()}"?'


def shown(value: Any) -> str:
    # Redacted: a message can end up in a log or a report.
    return short(redact(json.dumps(value, default=str, ensure_ascii=False)))


def short(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."
