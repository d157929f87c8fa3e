"""The inputs, effects and state of an `Outbox`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from speech.utterance import Priority, Utterance

MAKES_ROOM = 2
"""Least severity of a danger for whose name others interrupt their sides and advice."""

DropReason = Literal[
    "expired", "replaced", "superseded", "retracted", "hushed", "full", "failed", "busy", "cut", "duplicate"
]


@dataclass(frozen=True, slots=True)
class Enqueue:
    """An utterance to be spoken."""

    utterance: Utterance


@dataclass(frozen=True, slots=True)
class PlaybackBegan:
    """The first sample of an utterance was played."""

    id: str


@dataclass(frozen=True, slots=True)
class PlaybackEnded:
    """The last sample of an utterance was played."""

    id: str


@dataclass(frozen=True, slots=True)
class SpeechFailed:
    """An utterance could not be spoken, or not to its end."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Retract:
    """The cause of these utterances is no longer true; those not yet heard are dropped."""

    cause: str


@dataclass(frozen=True, slots=True)
class StopSpeaking:
    """The wearer asks for silence. Dangers are still spoken, unless `danger` is set."""

    danger: bool = False


@dataclass(frozen=True, slots=True)
class OutboxTick:
    """Time has passed: timeouts and expiries are checked."""


Input = Enqueue | PlaybackBegan | PlaybackEnded | SpeechFailed | Retract | StopSpeaking | OutboxTick


@dataclass(frozen=True, slots=True)
class StartSpeech:
    """Start to play it now."""

    utterance: Utterance


@dataclass(frozen=True, slots=True)
class StopSpeech:
    """Fade out now; always the utterance of the last `StartSpeech`."""

    id: str


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Its first sample was played."""

    utterance: Utterance


@dataclass(frozen=True, slots=True)
class SpeechDropped:
    """It was never heard and never will be."""

    utterance: Utterance
    reason: DropReason


Effect = StartSpeech | StopSpeech | SpeechStarted | SpeechDropped


@dataclass(frozen=True, slots=True)
class QueuedUtterance:
    """An utterance in the outbox, waiting or spoken."""

    utterance: Utterance
    arrival: int
    """Number of utterances enqueued before it: its age without a clock."""
    heard: bool = False
    """Its first sample was played once, so it is not reported as spoken or dropped again."""
    named: bool = False
    """Its danger has been named, and only the rest of its text is left to say."""
    resumed: bool = False
    """It was cut off once, and waits or sounds for the second time."""

    @property
    def order(self) -> tuple[int, bool, int, bool, int, float, int]:
        """Sort key: the most urgent utterance sorts first."""
        said = self.utterance
        return (
            -said.priority,
            not self.is_naming,
            -self.severity,
            self.named,
            -said.rank,
            -said.certainty,
            self.arrival,
        )

    @property
    def is_naming(self) -> bool:
        """True if it names a danger that others make room for. A notice waits for the end of a warning."""
        return bool(self.utterance.name) and not self.named and self.severity >= MAKES_ROOM

    @property
    def severity(self) -> int:
        """Severity only counts among dangers."""
        return self.utterance.severity if self.utterance.priority == Priority.DANGER else 0


@dataclass(frozen=True, slots=True)
class CurrentUtterance:
    """The present utterance."""

    entry: QueuedUtterance
    said: Utterance
    """The form in which it is said: in full, its name alone, or the rest of it."""
    since_s: float
    """When it was started or, once it sounds, when its first sample was played."""
    sounding: bool = False
    name_only: bool = False
    """Its name is said alone, because others wait to be named."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the dangers directly before have told."""

    severity: int = -1
    """The highest of them; -1 if there was none."""
    side: str = ""
    """The side said last."""


@dataclass(frozen=True, slots=True)
class OutboxState:
    """The state of an outbox, in plain values."""

    current: CurrentUtterance | None = None
    waiting: tuple[QueuedUtterance, ...] = ()
    """In the order in which they will be spoken."""
    arrivals: int = 0
    # Read-only: a state is handed to other threads and kept in recordings.
    counts: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """offered, spoken, cut, joined, resumed, and dropped_REASON."""
    heard: Heard = Heard()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types; `from_json` restores an equal state."""
        current = self.current
        return {
            "current": None if current is None else asdict(current),
            "waiting": [asdict(entry) for entry in self.waiting],
            "arrivals": self.arrivals,
            "counts": dict(self.counts),
            "heard": asdict(self.heard),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> OutboxState:
        """Restore the result of `to_json`."""
        current = data["current"]
        return cls(
            current=None if current is None else _current(current),
            waiting=tuple(_entry(entry) for entry in data["waiting"]),
            arrivals=data["arrivals"],
            counts=MappingProxyType(dict(data["counts"])),
            heard=Heard(**data["heard"]) if "heard" in data else Heard(),
        )


def _current(data: Mapping[str, Any]) -> CurrentUtterance:
    entry = _entry(data["entry"])
    # Recordings of earlier versions hold no form: everything was said in full.
    said = _utterance(data["said"]) if "said" in data else entry.utterance
    return CurrentUtterance(**{**data, "entry": entry, "said": said})


def _entry(data: Mapping[str, Any]) -> QueuedUtterance:
    return QueuedUtterance(**{**data, "utterance": _utterance(data["utterance"])})


def _utterance(data: Mapping[str, Any]) -> Utterance:
    # JSON knows no enumerations: the priority comes back as a plain number.
    return Utterance(**{**data, "priority": Priority(data["priority"])})
