"""Refuses settings with an impossible form: endless nesting, NUL, no Unicode, a value in place of a table."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from daemon.config.layers import Layer
from daemon.config.problems import short, shown
from daemon.config.schema import KeyPath, dotted
from daemon.errors import ConfigError

MOST_NESTED = 16
"""Tables and lists within each other; no setting lies half as deep."""


def refuse_misshapen(layers: tuple[Layer, ...]) -> None:
    """Raises ConfigError for trees that cannot be merged, before each setting is validated.

    That is endless nesting, NUL, bytes that are no UTF-8, and a value in place of another layer's table.
    """
    seen: dict[KeyPath, tuple[Layer, Any]] = {}
    for layer in layers:
        parts = list(_parts(layer.values))
        for path, depth, value in parts:
            # Reported by the first name only: the whole path would fill the screen.
            if depth > MOST_NESTED:
                raise ConfigError(f"{layer.where(path[:1])}: {short(path[0])}: is nested too deeply")
            if any("\0" in text for text in (*path, value) if isinstance(text, str)):
                # A NUL would end the line in C programs that show it.
                head = f"{layer.where(path)}: {short(dotted(path))}".replace("\0", "?")
                raise ConfigError(f"{head}: must not contain the character NUL")
            if not all(_is_unicode(text) for text in (*path, value) if isinstance(text, str)):
                # Python keeps such bytes of a variable or an option as lone surrogates (PEP 383).
                head = f"{layer.where(path)}: {short(dotted(path))} = {shown(value)}"
                head = head.encode(errors="replace").decode()
                raise ConfigError(f"{head}: is not UTF-8 text; if it is a file's name, rename the file")
        for path, depth, value in parts:
            # Entries of a list have no path of their own.
            if depth > len(path):  # in a list
                continue
            before = seen.setdefault(path, (layer, value))
            if isinstance(before[1], Mapping) != isinstance(value, Mapping):
                wrong, plain = before if isinstance(value, Mapping) else (layer, value)
                raise ConfigError(f"{wrong.where(path)}: {dotted(path)} = {shown(plain)}: should be a table")


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


def _parts(values: Mapping[str, Any]) -> Iterator[tuple[KeyPath, int, Any]]:
    """All nodes of a tree with their depth; items of a list have the list's path. Not recursive."""
    # A queue and not recursion: the trees that are refused here would exhaust the stack.
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
