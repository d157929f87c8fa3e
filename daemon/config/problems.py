"""What is wrong with the settings, in lines a person can act on."""

from __future__ import annotations

import difflib
import json
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from common.redact import redact
from daemon.config.layers import PREFIX, Layer
from daemon.config.schema import KeyPath, Schema, allowed, dotted
from daemon.errors import ConfigError
from pipeline import hazards as known_hazards
from pipeline.settings import HazardSettings

_DEFAULTS = Layer("default", {})
MOST_NESTED = 16
"""Tables and lists within each other; no setting lies half as deep."""


def problems(error: ValidationError, schema: Schema, origins: Mapping[KeyPath, Layer]) -> list[str]:
    """One line for each setting at fault, in the order they were found."""
    found: dict[KeyPath, str] = {}
    for detail in error.errors(include_url=False):
        path = _setting(detail, schema)
        found.setdefault(path, _line(detail, path, schema, origins))
    return list(found.values())


def _setting(detail: ErrorDetails, schema: Schema) -> KeyPath:
    """The setting an error is about: its location up to list positions and branches of unions."""
    path: KeyPath = tuple(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return path
    while path and schema.at(path) is None:
        path = path[:-1]
    return path


def _line(detail: ErrorDetails, path: KeyPath, schema: Schema, origins: Mapping[KeyPath, Layer]) -> str:
    layer = _layer(path, origins)
    head = f"{layer.where(path)}: {dotted(path)}"
    if detail["type"] == "extra_forbidden":
        return f"{head}: no such setting{_hint(path, layer, schema)}"
    if detail["type"] == "missing":
        return f"{head}: is missing"
    spec = schema.at(path) or {}
    wrong = detail["msg"].removeprefix("Value error, ")
    if detail["type"] != "value_error":
        wrong = f"should be {allowed(spec)}"
    description = f" ({spec['description']})" if spec.get("description") else ""
    return f"{head} = {_shown(detail['input'])}: {wrong}{description}"


def _layer(path: KeyPath, origins: Mapping[KeyPath, Layer]) -> Layer:
    """Who wrote the value at `path`, or the topmost that wrote something in it."""
    if path in origins:
        return origins[path]
    inside = [layer for written, layer in origins.items() if written[: len(path)] == path]
    return inside[-1] if inside else _DEFAULTS


def _hint(path: KeyPath, layer: Layer, schema: Schema) -> str:
    near = schema.nearest(path)
    if near is None:
        return ""
    name = PREFIX + "__".join(near).upper() if layer.name == "environment" else dotted(near)
    return f'; did you mean "{name}"?'


def _shown(value: Any) -> str:
    return redact(json.dumps(value, default=str, ensure_ascii=False))


def refuse_misshapen(layers: tuple[Layer, ...]) -> None:
    """Raises ConfigError for what merging would fall over or hide, before each setting is looked at.

    That is endless nesting, NUL, and a value where another layer has a table.
    """
    seen: dict[KeyPath, tuple[Layer, Any]] = {}
    for layer in layers:
        parts = list(_parts(layer.values))
        for path, depth, value in parts:
            head = f"{layer.where(path)}: {dotted(path)}".replace("\0", "?")
            if depth > MOST_NESTED:
                raise ConfigError(f"{layer.where(path[:1])}: {path[0]}: is nested too deeply")
            if any("\0" in text for text in (*path, value) if isinstance(text, str)):
                raise ConfigError(f"{head}: must not contain the character NUL")
        for path, depth, value in parts:
            if depth > len(path):  # in a list
                continue
            before = seen.setdefault(path, (layer, value))
            if isinstance(before[1], Mapping) != isinstance(value, Mapping):
                wrong, plain = before if isinstance(value, Mapping) else (layer, value)
                raise ConfigError(f"{wrong.where(path)}: {dotted(path)} = {_shown(plain)}: should be a table")


def _parts(values: Mapping[str, Any]) -> Iterator[tuple[KeyPath, int, Any]]:
    """All that stands in a tree, with how deep; what stands in a list has the list's path. Not recursive."""
    waiting: deque[tuple[KeyPath, int, Any]] = deque([((), 0, values)])
    while waiting:
        path, depth, value = waiting.popleft()
        if depth:
            yield path, depth, value
        if depth > MOST_NESTED:
            continue
        if isinstance(value, Mapping):
            waiting.extend(((*path, name), depth + 1, inner) for name, inner in value.items())
        elif isinstance(value, list):
            waiting.extend((path, depth + 1, inner) for inner in value)


def hazard_problems(
    hazards: Mapping[str, HazardSettings], origins: Mapping[KeyPath, Layer], taught: Collection[str] = ()
) -> list[str]:
    """One line for each hazard that could not be watched for: misspelt, or new and without words.

    Those that were `taught` by pictures need no words.
    """
    found = []
    for name, hazard in hazards.items():
        if wrong := _hazard_problem(name, hazard, taught):
            found.append(f"{_layer(('hazards', name), origins).where(('hazards', name))}: {wrong}")
    return found


def _hazard_problem(name: str, hazard: HazardSettings, taught: Collection[str]) -> str | None:
    near = difflib.get_close_matches(name, known_hazards.builtin(), n=1)
    if not hazard.prompts and near and name not in taught:
        return f'hazards.{name}: no hazard known by this name; did you mean "hazards.{near[0]}"?'
    try:
        known_hazards.from_settings({name: hazard.model_copy(update={"enabled": True})}, taught)
    except known_hazards.HazardError as error:
        return str(error)
    return None
