"""Commands of the web interface: for the web page, the HTTP interface and home automation, and for looking
back.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from daemon.control.base import ControlCommand, Language, Name, Words

LARGEST_PICTURE = 2_000_000
"""Characters of a picture in base64, 1.5 MB of JPEG: reading more would hold up the daemon's threads."""

MOST_ROWS = 2**53
"""Rows a journal can have that JSON can name."""

Kinds = Annotated[tuple[Name, ...], Field(max_length=32)]
Probability = Annotated[float, Field(ge=0, le=1)]


class PictureCommand(ControlCommand):
    """The picture assessed last, as JPEG, with what was made of it.

    `after`: the number of the picture one has; then the next newer one is waited for, `wait_s` at most.
    """

    do: Literal["picture"] = "picture"
    side: int = Field(960, ge=64, le=1920)
    """Longer side in pixels at most."""
    after: int | None = None
    wait_s: float = Field(0.0, ge=0, le=10)


class ScoresCommand(ControlCommand):
    """The probabilities of the last minutes, of pictures assessed after `since_s` (the daemon's clock)."""

    do: Literal["scores"] = "scores"
    since_s: float | None = Field(None, allow_inf_nan=False)


class TryCommand(ControlCommand):
    """What would the last minute have been with these thresholds? Nothing is changed."""

    do: Literal["try"] = "try"
    thresholds: dict[Name, Probability] = Field(min_length=1, max_length=100)


class SetCommand(ControlCommand):
    """Change settings by dotted key, for now and for the next start. All or none."""

    do: Literal["set"] = "set"
    values: dict[Name, Any] = Field(min_length=1, max_length=100)


class ResetCommand(ControlCommand):
    """Drop what was changed by `set`, by dotted key."""

    do: Literal["reset"] = "reset"
    keys: tuple[Name, ...] = Field(min_length=1, max_length=100)


class ConfigCommand(ControlCommand):
    """Every setting with its value, where that comes from, and what may stand there."""

    do: Literal["config"] = "config"


class ProcessCommand(ControlCommand):
    """What is on this picture, is it dangerous, and what is to be said of it? One at a time."""

    do: Literal["process"] = "process"
    picture: Annotated[str, Field(min_length=1, max_length=LARGEST_PICTURE)]
    """JPEG, PNG or WebP in base64."""
    objects: tuple[Name, ...] = Field((), max_length=32)
    """What is known to be on it; empty: to be recognised."""
    text: Words | None = None
    """A question about it."""
    language: Language | None = None
    speech: bool = False
    """The answer as sound too."""


class MetricsCommand(ControlCommand):
    """Counters and histograms since the start."""

    do: Literal["metrics"] = "metrics"


class JournalCommand(ControlCommand):
    """Events that were kept, the newest first."""

    do: Literal["journal"] = "journal"
    kinds: Kinds = ()
    hazard: Name | None = None
    since: float | None = None
    """Unix seconds."""
    until: float | None = None
    before: int | None = Field(None, ge=0, le=MOST_ROWS)
    """Only rows before this one: for the next page."""
    limit: int = Field(100, ge=1, le=500)
    evidence: bool = False
    """With what was known of every hazard at each alert: ask for few at a time then."""


class SnapshotCommand(ControlCommand):
    """The picture that was kept with an event of the journal, by its row."""

    do: Literal["snapshot"] = "snapshot"
    row: int = Field(ge=0, le=MOST_ROWS)


class PurgeCommand(ControlCommand):
    """Forget what the journal holds: all of it, or what is older."""

    do: Literal["purge"] = "purge"
    before: float | None = None
    """Unix seconds; None forgets all."""


WebCommand = (
    PictureCommand
    | ScoresCommand
    | TryCommand
    | SetCommand
    | ResetCommand
    | ConfigCommand
    | ProcessCommand
    | MetricsCommand
    | JournalCommand
    | SnapshotCommand
    | PurgeCommand
)
