"""The core's inputs, effects and settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from capture.settings import Facing
from daemon.core import health as components
from daemon.core.events import Event
from pipeline.alerting.alert_policy import AlertPolicy, HazardThreshold
from pipeline.alerting.rules import builtin_rules
from pipeline.description import policy as description_policy
from pipeline.description.base import DetectedHazard
from pipeline.settings import DescribeSettings, SceneSettings, WatchSettings
from pipeline.types import Assessment, SceneEvent, Severity
from speech.outbox import messages as outbox_messages
from speech.settings import ClearEarcon, OutboxSettings, Verbosity
from speech.utterance import Priority

Hand = Literal["keys", "command", "page", "home"]
"""The way by which a request came: a key, the command line, the web page or home automation."""

WEARERS_HANDS: frozenset[Hand] = frozenset(["keys", "command"])
"""The ways by which danger may be silenced. The page and home automation may be far away, or in error."""


class HazardSpec(BaseModel, frozen=True):
    """A hazard's settings within the core."""

    name: str
    severity: int
    threshold: float
    """Probability from which the hazard counts as present, 0 to 1."""
    say: str
    """Spoken text in the core's language, with `{where}`."""
    call: str = ""
    """Its name alone, for when several come at once; empty: taken from `say`."""
    rank: int = 0
    """Among hazards of one severity, the one with the higher rank is said first."""
    unrecognised: bool = False
    """The model can never recognise it by its words, and it was not taught by pictures."""


class CoreSpec(BaseModel, frozen=True):
    """Everything the core's decisions depend on besides its inputs; saved in recordings."""

    language: Literal["en", "ko"]
    hazards: tuple[HazardSpec, ...]
    watch: WatchSettings
    scene: SceneSettings
    describe: DescribeSettings
    health: components.HealthSettings
    outbox: OutboxSettings
    verbosity: Verbosity = "full"
    clear_earcon: ClearEarcon = "critical"
    tick_s: float = 0.0
    """Seconds of silence after which a tick sounds; 0 never."""
    description_gap_s: float = 0.0
    """Seconds without sound before an unrequested description."""
    talk_share: float = 1.0
    """Share of the last minute with sound, 0 to 1, above which unrequested descriptions are left out."""
    facing: Facing = "ahead"
    forwards: bool = False
    """Another instance speaks for this one, so utterances heard in between are unknown here."""

    def alert_policy(self) -> AlertPolicy:
        """Build the alert policy for these hazards and settings, in its initial state."""
        return AlertPolicy(
            self.watch,
            [HazardThreshold(h.name, Severity(h.severity), h.threshold) for h in self.hazards],
            builtin_rules(),
            facing=self.facing,
        )


@dataclass(frozen=True, slots=True)
class Assessed:
    """A frame was assessed."""

    assessment: Assessment
    unseen: str = ""
    """The reason why the frame shows too little to be described (dark, covered, blurred); else empty."""


@dataclass(frozen=True, slots=True)
class Say:
    """A request to say a text."""

    text: str
    language: str | None = None
    earcon: str | None = None
    key: str | None = None
    """A waiting utterance with the same key is replaced; by default the key is the text."""
    expires_in_s: float | None = None
    works: components.Component | None = None
    """The text implies that this component works: once heard, it takes back a failure that was heard."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A question about the present view; without one, the view is described."""

    question: str | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """A request to read the words in view."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """A request to say the last utterance again."""


@dataclass(frozen=True, slots=True)
class Mute:
    """A request to mute; 0 seconds end a mute. Danger is muted only by a second request of the same hand."""

    seconds: float
    by: Hand = "command"


@dataclass(frozen=True, slots=True)
class FalseAlarm:
    """A request to mark the last alert as wrong."""


@dataclass(frozen=True, slots=True)
class TellStatus:
    """A request to say the status."""

    pictures_per_second: float = 0.0


@dataclass(frozen=True, slots=True)
class RelayedSpeech:
    """An utterance of another instance, which has no loudspeaker of its own."""

    text: str
    language: str
    priority: Priority
    key: str
    severity: int = 0
    rank: int = 0
    certainty: float = 0.0
    name: str = ""
    side: str = ""
    advice: str = ""
    named_after_s: float = 0.0
    pan: float = 0.0
    earcon: str | None = None
    expires_in_s: float = 5.0
    cause: str | None = None
    """An id of the other instance, by which it recognises its `speak` event."""


@dataclass(frozen=True, slots=True)
class CoreTick:
    """Time has passed: timeouts are checked."""


Input = (
    Assessed
    | Say
    | Ask
    | Read
    | Repeat
    | Mute
    | FalseAlarm
    | TellStatus
    | RelayedSpeech
    | CoreTick
    | components.Report
    | outbox_messages.Input
    | description_policy.NarrationInput
)

INPUT_TAGS: Mapping[str, type] = {
    "assessed": Assessed,
    "say": Say,
    "ask": Ask,
    "read": Read,
    "repeat": Repeat,
    "mute": Mute,
    "false_alarm": FalseAlarm,
    "tell_status": TellStatus,
    "relayed_speech": RelayedSpeech,
    "tick": CoreTick,
    "report": components.Report,
    "enqueue": outbox_messages.Enqueue,
    "playback_began": outbox_messages.PlaybackBegan,
    "playback_ended": outbox_messages.PlaybackEnded,
    "speech_failed": outbox_messages.SpeechFailed,
    "retract": outbox_messages.Retract,
    "stop_speaking": outbox_messages.StopSpeaking,
    "outbox_tick": outbox_messages.OutboxTick,
    "requested": description_policy.Requested,
    "sentence_ready": description_policy.SentenceReady,
    "answer_finished": description_policy.AnswerFinished,
    "stop_describing": description_policy.StopDescribing,
    "description_tick": description_policy.DescriptionTick,
}
"""The name of each input in recordings. Independent of classes and modules, which may be renamed and
moved: a tag that has been written must never change its meaning, or older recordings become unreadable.
"""


@dataclass(frozen=True, slots=True)
class Record:
    """Write this event down."""

    event: Event


@dataclass(frozen=True, slots=True)
class DescribeView:
    """Ask the describer about this view."""

    scene: SceneEvent
    seen: tuple[DetectedHazard, ...]


Effect = (
    Record
    | DescribeView
    | description_policy.CancelDescription
    | outbox_messages.StartSpeech
    | outbox_messages.StopSpeech
)
