"""Types and bounds of the settings, read from their JSON schema: for messages, hints and the
commented file.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

KeyPath = tuple[str, ...]
"""A setting's place: ("hazards", "fire", "threshold")."""
Spec = Mapping[str, Any]
"""The JSON schema of one setting or section."""

ENTRY = "*"
"""Placeholder for the entry names of a table that users extend, as in ("hazards", "*", "threshold")."""
_KINDS = {
    "string": "text in quotes",
    "boolean": "true or false",
    "array": "a list of texts in quotes",
    "object": "a table",
}
_NUMBERS = {"number": "a number", "integer": "a whole number"}
_BOUNDS = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "up to", "exclusiveMaximum": "below"}


def dotted(path: KeyPath) -> str:
    """The path as people write it: `hazards.fire.threshold`."""
    return ".".join(path)


@dataclass(frozen=True)
class Schema:
    """The tree of settings below one model."""

    root: Spec

    @classmethod
    def of(cls, model: type[BaseModel]) -> Schema:
        return cls(model.model_json_schema())

    def to_json(self) -> str:
        """The whole schema as text, for editors."""
        head = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "config.toml of Watchword"}
        return json.dumps({**self.root, **head}, ensure_ascii=False, indent=1) + "\n"

    def at(self, path: KeyPath) -> Spec | None:
        """The setting or section at `path`, None if there is none."""
        spec: Spec | None = self.root
        for name in path:
            spec = self._child(spec, name) if spec is not None else None
        return spec

    def names(self, path: KeyPath) -> tuple[str, ...]:
        """The fields of a section; `*` if its entries are named by the user."""
        spec = self.at(path) or {}
        # `additionalProperties` is how pydantic writes a dict with names of the user's choice.
        if isinstance(spec.get("additionalProperties"), dict):
            return (ENTRY,)
        return tuple(spec.get("properties", {}))

    def leaves(self, path: KeyPath = ()) -> Iterator[KeyPath]:
        """Every setting below `path`, sections left out."""
        names = self.names(path)
        if not names and path:
            yield path
        for name in names:
            yield from self.leaves((*path, name))

    def nearest(self, path: KeyPath, entries: Collection[str] = ()) -> KeyPath | None:
        """The setting that a path which does not exist was most likely meant to be."""
        parent = path[:-1]
        # First in the same section, leniently; then everywhere, and only for close matches.
        near = difflib.get_close_matches(path[-1], (*self.names(parent), *entries), n=1, cutoff=0.6)
        if near:
            return (*parent, near[0])
        elsewhere = {leaf[-1]: leaf for leaf in self.leaves() if ENTRY not in leaf}
        near = difflib.get_close_matches(path[-1], elsewhere, n=1, cutoff=0.8)
        return elsewhere[near[0]] if near else None

    def _child(self, spec: Spec, name: str) -> Spec | None:
        child = spec.get("properties", {}).get(name)
        if child is None and isinstance(spec.get("additionalProperties"), dict):
            child = spec["additionalProperties"]
        return self._resolved(child) if child is not None else None

    def _resolved(self, spec: Spec) -> Spec:
        if "$ref" not in spec:
            return spec
        target: Spec = self.root["$defs"][spec["$ref"].rsplit("/", 1)[-1]]
        # Keys beside $ref (description, default) belong to this field and beat the definition's.
        return {**target, **{key: value for key, value in spec.items() if key != "$ref"}}


def takes_text(spec: Spec) -> bool:
    """True if the value is text and nothing else, so that `0` in the environment means "0"."""
    return spec.get("type") == "string"


def allowed(spec: Spec) -> str:
    """The allowed values, in words: `a number from 0 to 10`."""
    if "anyOf" in spec:
        return " or ".join(allowed(option) for option in spec["anyOf"])
    kind = spec.get("type", "")
    if "const" in spec or "enum" in spec or kind not in _NUMBERS:
        return limits(spec) or _KINDS.get(kind, "a value of another kind")
    return f"{_NUMBERS[kind]} {limits(spec)}".rstrip()


def limits(spec: Spec) -> str:
    """The choices, or the range of a number, as `from 0 to 10`; nothing if anything goes."""
    if "const" in spec:
        return json.dumps(spec["const"])
    if "enum" in spec:
        *first, last = (json.dumps(value) for value in spec["enum"])
        return f"{', '.join(first)} or {last}" if first else last
    if "minimum" in spec and "maximum" in spec:
        return f"from {spec['minimum']} to {spec['maximum']}"
    return ", ".join(f"{word} {spec[bound]}" for bound, word in _BOUNDS.items() if bound in spec)
