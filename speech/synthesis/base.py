"""The seam to text-to-speech engines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from common.errors import WatchwordError
from speech.sound.audio import Audio


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """Text and how to say it."""

    text: str
    language: str
    rate_wpm: int = 180
    """Words a minute, 80 to 500."""
    volume: float = 1.0
    """0 to 1."""
    pitch: int = 50
    """0 to 99, 50 is the voice's own."""
    voice: str | None = None
    """The engine's name of a voice; None takes the engine's voice for the language."""


class SynthesisError(WatchwordError):
    """No sound could be made; the message has the cure."""


class Synthesizer(Protocol):
    """Turns text into sound, never plays it."""

    @property
    def name(self) -> str: ...

    def stream(self, request: SpeechRequest) -> Iterator[Audio]:
        """Chunks of sound in order, one a sentence or clause. Raises SynthesisError."""
        ...

    def close(self) -> None: ...
