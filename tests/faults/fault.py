"""A fault: how it is injected, mended, and told of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.world import World

Event = dict[str, Any]
Told = Callable[[Event], bool]


class NotHereError(Exception):
    """This machine cannot inject the fault: the row is left out, and that is said."""


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong in the running daemon, and is mended after it was told."""

    name: str
    inject: Callable[[World], None]
    mend: Callable[[World], None]
    told: Told | None = None
    """None: it need not be told, only survived."""
    short: bool = False
    """Part of the short run."""
    limit_s: float = 5.0
    """Seconds in which it is to be told."""
    lasts_s: float = 3.0
    """Seconds until it is mended, if it need not be told."""
    stage: str = "street"
    """The name of the world that it happens in."""


@dataclass(frozen=True)
class Check:
    """Something that is to hold; returns how it held, raises AssertionError if it does not."""

    name: str
    check: Callable[[World], str]
    short: bool = False
    stage: str = "street"


Row = Fault | Check


def health(component: str, *reasons: str) -> Told:
    """The event that a component fails."""
    return lambda event: (
        event["kind"] == "health"
        and event["component"] == component
        and (event["reason"] in reasons if reasons else event["state"] == "failing")
    )


def any_of(*told: Told) -> Told:
    """One of these."""
    return lambda event: any(one(event) for one in told)


def said(words: str) -> Told:
    """Words that are spoken."""
    return lambda event: event["kind"] == "speak" and words in event["text"]


def danger(event: Event) -> bool:
    """A danger is spoken: the fault must not keep it from being said."""
    return bool(event["kind"] == "speak" and event["priority"] == "danger")


def overwrite(path: Path, data: bytes) -> None:
    """Give a file this content, and its folders if they are missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def nothing(_: World) -> None:
    """Nothing to do."""
