"""The seam to loudspeakers and their substitutes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from common.errors import WatchwordError
from speech.sound.audio import Audio


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """What a loudspeaker needs to know of the `[speech]` section."""

    device: str
    sample_rate: int
    """Hertz of all sounds."""
    keep_awake: bool
    """Play a tone below hearing, so that a headset does not fall asleep."""


class PlayerError(WatchwordError):
    """Base of a player's errors; the message has the cure."""


class PlayerLostError(PlayerError):
    """The loudspeaker went away; trying again later may help."""


class PlayerUnusableError(PlayerError):
    """It can never play as configured (no such file or device, no permission)."""


@dataclass(frozen=True, slots=True)
class PlaybackStarted:
    """The first sample of a sound is on its way."""

    id: str
    at_s: float
    """The monotonic time at which it leaves the loudspeaker; may be some milliseconds in the future."""


@dataclass(frozen=True, slots=True)
class PlaybackFinished:
    """The last sample of a sound is on its way. Not sent for a sound that was cut or replaced."""

    id: str
    at_s: float


@dataclass(frozen=True, slots=True)
class PlaybackFailed:
    """A sound is not heard, or not to its end."""

    id: str
    reason: str


class AudioOutput(StrEnum):
    """The destination of sound."""

    LOUDSPEAKER = "loudspeaker"
    FILE = "file"
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class AudioOutputChanged:
    """Sound goes elsewhere than before."""

    output: AudioOutput
    reason: str
    """One line for people: which device, or why there is none."""
    at_s: float


PlayerEvent = PlaybackStarted | PlaybackFinished | PlaybackFailed | AudioOutputChanged


class Player(Protocol):
    """Plays one sound at a time. Callable from any thread; never waits for the device."""

    @property
    def output(self) -> AudioOutput: ...

    def play(self, id: str, audio: Audio, *, more: bool = False) -> None:
        """Play it now; the present sound fades out within 5 ms. With `more`, further audio follows."""
        ...

    def append(self, id: str, audio: Audio, *, more: bool = False) -> None:
        """Continue the sound of that id; nothing happens if it is no longer the one playing."""
        ...

    def cut(self, id: str) -> None:
        """End the sound of that id within 5 ms."""
        ...

    def close(self) -> None:
        """Release the device, in bounded time."""
        ...
