"""What is wrong with the settings, in lines a person can act on."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from daemon.settings_layers import PREFIX, Layer
from daemon.settings_schema import KeyPath, Schema, allowed, dotted

_CREDENTIALS = re.compile(r"://[^/@\s]+@")
_DEFAULTS = Layer("default", {})


def redacted(text: str) -> str:
    """The text with user names and passwords in URLs replaced."""
    return _CREDENTIALS.sub("://***@", text)


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
    for written, layer in origins.items():
        if written[: len(path)] == path or path[: len(written)] == written:
            return layer
    return _DEFAULTS


def _hint(path: KeyPath, layer: Layer, schema: Schema) -> str:
    near = schema.nearest(path)
    if near is None:
        return ""
    name = PREFIX + "__".join(near).upper() if layer.name == "environment" else dotted(near)
    return f'; did you mean "{name}"?'


def _shown(value: Any) -> str:
    return redacted(json.dumps(value, default=str, ensure_ascii=False))


def unknown_hazards(
    names: Collection[str], known: Collection[str], origins: Mapping[KeyPath, Layer]
) -> list[str]:
    """One line for each hazard that nothing describes: misspelt, or new and without prompts."""
    lines = []
    for name in sorted(names):
        path = ("hazards", name)
        near = difflib.get_close_matches(name, known, n=1)
        hint = f'did you mean "hazards.{near[0]}"?' if near else "give it prompts, scenes that show it"
        where = _layer(path, origins).where(path)
        lines.append(f"{where}: {dotted(path)}: no hazard known by this name; {hint}")
    return lines
