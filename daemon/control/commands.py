"""Every command of the running daemon, defined once.

A class says all there is to say about its command: the name on the wire (`do`), the fields and their bounds,
the input it becomes in the core, and where else it is offered: over HTTP (`http`), over MQTT (`mqtt`), and as
an action of a key (`key_action`). The wire format, the routes of the web interface, the topics and the key
actions are derived from these classes. A command without a core input is answered by a handler, by its name:
see `daemon/handlers/`. The command line lists its own in `daemon/cli/remote/commands.py`, which imports
nothing heavy.

The core's messages are imported where they are made: `watchword hush` must not wait for NumPy.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from common.plain_text import spoken
from daemon.core.events import Kind

if TYPE_CHECKING:
    from daemon.core.messages import Input

Language = Literal["en", "ko"]
Spoken = BeforeValidator(lambda text: spoken(text) if isinstance(text, str) else text)
"""Without control characters, which no voice says and no terminal should get."""
# A pattern besides the length, because a text of spaces only is not speech.
Words = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S"), Spoken]
Name = Annotated[str, Field(min_length=1, max_length=200)]


def _known_kind(name: str) -> str:
    """Refuses a name of no kind: a client that waits for `alerts` would wait for ever."""
    kinds = get_args(Kind)
    if name not in kinds:
        near = difflib.get_close_matches(name.lower(), kinds, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(kinds)}"
        raise ValueError(f"{name!r} is no kind of event; {hint}")
    return name


Kinds = Annotated[tuple[Annotated[Name, AfterValidator(_known_kind)], ...], Field(max_length=32)]
Probability = Annotated[float, Field(ge=0, le=1)]

LARGEST_PICTURE = 2_000_000
"""Characters of a picture in base64, 1.5 MB of JPEG: reading more would hold up the daemon's threads."""
MOST_ROWS = 2**53
"""Rows a journal can have that JSON can name."""


@dataclass(frozen=True, slots=True)
class HttpPost:
    """`POST path` of the web interface: the command's fields are the JSON body, the reply is empty or short.

    Commands with a reply of their own have a route of their own in `daemon/web/routes/`.
    """

    path: str
    summary: str
    description: str = ""
    example: Mapping[str, Any] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Fields that are no part of the body, with the values that they always have."""


@dataclass(frozen=True, slots=True)
class MqttEntity:
    """The topic `set/NAME`: a button, or a text whose payload is the field `text_field`."""

    text_field: str = ""
    """Empty: a button."""


# Deferred: a process needs the validators of a few commands, and all of them take a fiftieth of a second.
class Command(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True):
    """A command with its arguments, within bounds."""

    http: ClassVar[HttpPost | None] = None
    """How the web interface offers it; None: not at all, or by a route written by hand."""
    mqtt: ClassVar[MqttEntity | None] = None
    """How home automation offers it; None: not at all, or by hand in `daemon/mqtt/commands.py`."""
    key_action: ClassVar[bool] = False
    """True: its name is an action of a key, without arguments."""
    adjusts: ClassVar[tuple[Literal["volume", "rate"], Literal[1, -1]] | None] = None
    """The speech setting that it changes by one step, and the direction."""

    do: str = ""
    """The name on the wire; a literal with a default in each command."""

    def core_input(self) -> Input | None:
        """The input of the core that this command becomes; None if a handler answers it."""
        return None


class StatusCommand(Command):
    """The state of the daemon. `aloud`: it is also spoken."""

    do: Literal["status"] = "status"
    aloud: bool = False


class SayCommand(Command):
    """Speak a text."""

    http = HttpPost("/say", "Say this", example={"text": "Dinner is ready."})
    mqtt = MqttEntity(text_field="text")

    do: Literal["say"] = "say"
    text: Words
    language: Language | None = Field(None, description="else speech.language")

    def core_input(self) -> Input:
        from daemon.core.messages import Say

        return Say(self.text, self.language)


def _blank_is_none(question: object) -> object:
    return (spoken(question).strip() or None) if isinstance(question, str) else question


class AskCommand(Command):
    """Answer a question about the present view; without one, describe the view."""

    http = HttpPost(
        "/ask",
        "Describe what is seen, or answer a question about it",
        "The answer is spoken, and comes as a `describe` event.",
        {"question": "Is the door open?"},
    )
    mqtt = MqttEntity(text_field="question")

    do: Literal["ask"] = "ask"
    question: Annotated[Annotated[str, Field(max_length=500)] | None, BeforeValidator(_blank_is_none)] = None

    def core_input(self) -> Input:
        from daemon.core.messages import Ask

        return Ask(self.question)


class HushCommand(Command):
    """Stop speaking and drop waiting utterances; alerts are still spoken."""

    http = HttpPost("/hush", "Stop talking", "Danger is still said.")
    mqtt = MqttEntity()
    key_action = True

    do: Literal["hush"] = "hush"

    def core_input(self) -> Input:
        from speech.outbox.messages import StopSpeaking

        return StopSpeaking()


class RepeatCommand(Command):
    """Speak the last utterance again."""

    http = HttpPost("/repeat", "Say the last thing again")
    mqtt = MqttEntity()
    key_action = True

    do: Literal["repeat"] = "repeat"

    def core_input(self) -> Input:
        from daemon.core.messages import Repeat

        return Repeat()


class DescribeCommand(Command):
    """Describe the present view."""

    http = HttpPost("/describe", "Describe what is seen")
    mqtt = MqttEntity()
    key_action = True

    do: Literal["describe"] = "describe"

    def core_input(self) -> Input:
        from daemon.core.messages import Ask

        return Ask()


class ReadCommand(Command):
    """Read the words in view aloud."""

    http = HttpPost(
        "/read",
        "Read the words in view",
        "The largest first, each in its language; the answer is spoken, and comes as a `describe` event.",
    )
    mqtt = MqttEntity()
    key_action = True

    do: Literal["read"] = "read"

    def core_input(self) -> Input:
        from daemon.core.messages import Read

        return Read()


class LouderCommand(Command):
    """Increase the volume by one step and save it."""

    http = HttpPost("/louder", "A step louder, now and after the next start")
    key_action = True
    adjusts = ("volume", 1)

    do: Literal["louder"] = "louder"


class SofterCommand(Command):
    """Decrease the volume by one step and save it."""

    http = HttpPost("/softer", "A step softer")
    key_action = True
    adjusts = ("volume", -1)

    do: Literal["softer"] = "softer"


class SlowerCommand(Command):
    """Slow speech down by one step and save it."""

    http = HttpPost("/slower", "Speech a step slower")
    key_action = True
    adjusts = ("rate", -1)

    do: Literal["slower"] = "slower"


class FasterCommand(Command):
    """Speed speech up by one step and save it."""

    http = HttpPost("/faster", "Speech a step faster")
    key_action = True
    adjusts = ("rate", 1)

    do: Literal["faster"] = "faster"


class MuteCommand(Command):
    """Speak nothing but alerts for `seconds`; 0 ends it.

    Given twice in a row by the same hand of the wearer (keys, or the command line), alerts are silent too.
    """

    # No `mqtt`: its switch, in `daemon/mqtt/commands.py`, has a length of its own.

    http = HttpPost(
        "/mute",
        "Nothing but danger for so long",
        "Danger is said all the same; only the wearer can silence it. 0 ends it.",
        {"seconds": 600},
        {"by": "page"},
    )

    do: Literal["mute"] = "mute"
    seconds: float = Field(ge=0, le=86400)
    by: Literal["keys", "command", "page", "home"] = "command"

    def core_input(self) -> Input:
        from daemon.core.messages import Mute

        return Mute(self.seconds, self.by)


class FalseAlarmCommand(Command):
    """Mark the last alert as wrong."""

    http = HttpPost("/false-alarm", "The last warning was wrong")
    mqtt = MqttEntity()
    key_action = True

    do: Literal["false_alarm"] = "false_alarm"

    def core_input(self) -> Input:
        from daemon.core.messages import FalseAlarm

        return FalseAlarm()


class EarconsCommand(Command):
    """Play each earcon and say its meaning."""

    key_action = True

    do: Literal["earcons"] = "earcons"


class ReloadCommand(Command):
    """Read the settings again and apply those that need no restart."""

    do: Literal["reload"] = "reload"


class WhyCommand(Command):
    """The cause of an event, by its id; without one, of the last utterance."""

    do: Literal["why"] = "why"
    event: Name | None = None
    language: Literal["en", "ko"] = "en"


class EventsCommand(Command):
    """Send every event from now on, or only events of some kinds."""

    do: Literal["events"] = "events"
    kinds: Kinds = ()


class UtterCommand(Command):
    """Speak this for another instance, which has no loudspeaker of its own."""

    do: Literal["utter"] = "utter"
    text: Annotated[str, Field(max_length=1000), Spoken]
    """Empty if there is only an earcon."""
    language: Language
    priority: Literal["danger", "message", "text", "notice"]
    key: Name
    severity: int = Field(0, ge=0, le=10)
    rank: int = Field(0, ge=-1000, le=1000)
    certainty: float = Field(0.0, ge=0, le=1)
    name: Annotated[str, Field(max_length=1000), Spoken] = ""
    side: Annotated[str, Field(max_length=1000), Spoken] = ""
    advice: Annotated[str, Field(max_length=1000), Spoken] = ""
    named_after_s: float = Field(0.0, ge=0, le=60)
    pan: float = Field(0.0, ge=-1, le=1)
    earcon: Name | None = None
    expires_in_s: float = Field(5.0, gt=0, le=60)
    cause: Name | None = None
    """The other instance's id, such as `left:a12`, by which it finds its `speak` among our events."""

    def core_input(self) -> Input:
        from daemon.core.messages import RelayedSpeech
        from speech.utterance import Priority

        fields = self.model_dump(exclude={"priority", "do"})
        return RelayedSpeech(priority=Priority[self.priority.upper()], **fields)


class PictureCommand(Command):
    """The frame assessed last, as JPEG, with its probabilities and active hazards.

    `after`: the number of the frame that the client has; a newer one is waited for, `wait_s` at most.
    """

    do: Literal["picture"] = "picture"
    side: int = Field(960, ge=64, le=1920)
    """Longer side in pixels at most."""
    after: int | None = None
    wait_s: float = Field(0.0, ge=0, le=10)


class ScoresCommand(Command):
    """The probabilities of the last minutes, of pictures assessed after `since_s` (the daemon's clock)."""

    do: Literal["scores"] = "scores"
    since_s: float | None = Field(None, allow_inf_nan=False)


class TryCommand(Command):
    """The alerts of a minute as they would have been with these thresholds. Nothing is changed."""

    do: Literal["try"] = "try"
    thresholds: dict[Name, Probability] = Field(min_length=1, max_length=100)
    row: int | None = Field(None, ge=0, le=MOST_ROWS)
    """An alert of the journal whose black box is the minute; None for the last minute."""


class SetCommand(Command):
    """Change settings by dotted key, for now and for the next start. All or none."""

    do: Literal["set"] = "set"
    values: dict[Name, Any] = Field(min_length=1, max_length=100)


class ResetCommand(Command):
    """Drop changes made by `set`, by dotted key."""

    do: Literal["reset"] = "reset"
    keys: tuple[Name, ...] = Field(min_length=1, max_length=100)


class ConfigCommand(Command):
    """Every setting with its value, the origin of the value, and the permitted values."""

    do: Literal["config"] = "config"


class ProcessCommand(Command):
    """The objects and hazards on a picture, and a description of it. One request at a time."""

    do: Literal["process"] = "process"
    picture: Annotated[str, Field(min_length=1, max_length=LARGEST_PICTURE)]
    """JPEG, PNG or WebP in base64."""
    objects: tuple[Name, ...] = Field((), max_length=32)
    """Objects known to be on it; empty: they are recognised."""
    text: Words | None = None
    """A question about it."""
    read: bool = False
    """The words in it are wanted, as by a question that asks for them."""
    language: Language | None = None
    speech: bool = False
    """The answer as sound too."""


class MetricsCommand(Command):
    """Counters and histograms since the start."""

    do: Literal["metrics"] = "metrics"


class JournalCommand(Command):
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
    """Include the scores of every hazard at each alert, which are long: ask for few at a time."""


class SnapshotCommand(Command):
    """The picture that was kept with an event of the journal, by its row."""

    do: Literal["snapshot"] = "snapshot"
    row: int = Field(ge=0, le=MOST_ROWS)
    side: int | None = Field(None, ge=32, le=1920)
    """Longer side in pixels at most; None for the picture as it was kept."""


class MarkCommand(Command):
    """Whether an alert of the journal was right; its picture is kept for `calibrate --labelled`."""

    do: Literal["mark"] = "mark"
    row: int = Field(ge=0, le=MOST_ROWS)
    verdict: Literal["true", "false", "none"]
    """`none` takes an earlier verdict back."""


class PurgeCommand(Command):
    """Delete from the journal: everything, or everything before a time."""

    do: Literal["purge"] = "purge"
    before: float | None = None
    """Unix seconds; None forgets all."""


COMMANDS: Mapping[str, type[Command]] = {
    # Derived, so that a new command is known by defining its class.
    kind.model_fields["do"].default: kind
    for kind in Command.__subclasses__()
}
"""Every command by its name on the wire."""

MUTE_ACTION = "mute"
"""The action of a key whose duration is `keys.mute_minutes`."""
KEY_COMMANDS: Mapping[str, Command] = {
    **{name: COMMANDS[name]() for name in COMMANDS if COMMANDS[name].key_action},
    "unmute": MuteCommand(seconds=0, by="keys"),
    "status": StatusCommand(aloud=True),
}
"""The commands of the keys' actions, without `mute`."""
KEY_ACTIONS = (*KEY_COMMANDS, MUTE_ACTION)
