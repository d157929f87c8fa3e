"""The inputs, effects and state of an `Outbox`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from speech.utterance import Priority, Utterance

DropReason = Literal[
    "expired", "replaced", "superseded", "retracted", "hushed", "full", "failed", "busy", "cut", "duplicate"
]


@dataclass(frozen=True, slots=True)
class Enqueue:
    """Something is to be said."""

    utterance: Utterance


@dataclass(frozen=True, slots=True)
class PlaybackBegan:
    """The first sample of an utterance is out."""

    id: str


@dataclass(frozen=True, slots=True)
class PlaybackEnded:
    """The last sample of an utterance is out."""

    id: str


@dataclass(frozen=True, slots=True)
class SpeechFailed:
    """An utterance could not be said, or not to its end."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Retract:
    """The cause of these utterances is no longer true; those not yet heard are dropped."""

    cause: str


@dataclass(frozen=True, slots=True)
class StopSpeaking:
    """The listener wants quiet; danger stays, unless that is not wanted either."""

    danger: bool = False


@dataclass(frozen=True, slots=True)
class OutboxTick:
    """Time went by."""


Input = Enqueue | PlaybackBegan | PlaybackEnded | SpeechFailed | Retract | StopSpeaking | OutboxTick


@dataclass(frozen=True, slots=True)
class StartSpeech:
    """Begin to say it now."""

    utterance: Utterance


@dataclass(frozen=True, slots=True)
class StopSpeech:
    """Fade out now; always the utterance of the last `StartSpeech`."""

    id: str


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """It is being heard."""

    utterance: Utterance


@dataclass(frozen=True, slots=True)
class SpeechDropped:
    """It was never heard and never will be."""

    utterance: Utterance
    reason: DropReason


Effect = StartSpeech | StopSpeech | SpeechStarted | SpeechDropped


@dataclass(frozen=True, slots=True)
class QueuedUtterance:
    """An utterance in the outbox, waiting or being said."""

    utterance: Utterance
    arrival: int
    """Counts offers: age that needs no clock."""
    heard: bool = False
    """Its first sample was out once: it is not reported spoken, or dropped, again."""
    named: bool = False
    """It was cut after what it warns of had been named: whatever has not been named goes first."""
    resumed: bool = False
    """It was cut once and waits, or sounds, for the second time."""

    @property
    def order(self) -> tuple[int, int, bool, int, float, int]:
        """Sort key: the utterance to be said first sorts first."""
        said = self.utterance
        return (-said.priority, -self.severity, self.named, -said.rank, -said.certainty, self.arrival)

    @property
    def severity(self) -> int:
        """Severity only counts among dangers."""
        return self.utterance.severity if self.utterance.priority == Priority.DANGER else 0


@dataclass(frozen=True, slots=True)
class CurrentUtterance:
    """The present utterance."""

    entry: QueuedUtterance
    since_s: float
    """When it was started, or, once it sounds, when its first sample was out."""
    sounding: bool = False


@dataclass(frozen=True, slots=True)
class OutboxState:
    """All an outbox remembers, in plain values."""

    current: CurrentUtterance | None = None
    waiting: tuple[QueuedUtterance, ...] = ()
    """In the order they will be said."""
    arrivals: int = 0
    # Read-only: a state is handed to other threads and kept in recordings.
    counts: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """offered, spoken, cut, resumed, and dropped_REASON."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types; `from_json` restores an equal state."""
        current = self.current
        return {
            "current": None if current is None else asdict(current),
            "waiting": [asdict(entry) for entry in self.waiting],
            "arrivals": self.arrivals,
            "counts": dict(self.counts),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> OutboxState:
        """Restore the result of `to_json`."""
        current = data["current"]
        return cls(
            current=None
            if current is None
            else CurrentUtterance(**{**current, "entry": _entry(current["entry"])}),
            waiting=tuple(_entry(entry) for entry in data["waiting"]),
            arrivals=data["arrivals"],
            counts=MappingProxyType(dict(data["counts"])),
        )


def _entry(data: Mapping[str, Any]) -> QueuedUtterance:
    # JSON knows no enumerations: the priority comes back as a plain number.
    said = data["utterance"]
    return QueuedUtterance(
        **{**data, "utterance": Utterance(**{**said, "priority": Priority(said["priority"])})}
    )
