"""Stand-ins that work: a synthesiser whose sound tells what it was asked, and utterances."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from speech.playback.base import AudioOutput, PlayerEvent
from speech.playback.mixer import Mixer
from speech.sound.audio import Audio
from speech.synthesis.base import SpeechRequest, SynthesisError
from speech.utterance import Priority, Utterance

needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is not installed (apt install espeak-ng)"
)


def utterance(text: str = "fire ahead", **changes: object) -> Utterance:
    """A danger phrase, unless changed."""
    values: dict[str, object] = {
        "id": "a1",
        "cause": None,
        "text": text,
        "language": "en",
        "priority": Priority.DANGER,
        "key": "fire",
        "created_at_s": 0.0,
        "captured_at_s": 0.0,
        "expires_at_s": 9.0,
        "severity": 3,
        "earcon": "critical",
    }
    return Utterance(**{**values, **changes})  # type: ignore[arg-type]


class ToneSynthesizer:
    """Says each word as a tone of a pitch of its own, after some silence; or fails when told to."""

    def __init__(self, rate: int = 22050) -> None:
        self.rate = rate
        self.asked: list[SpeechRequest] = []
        self.failing = False
        self.closed = False

    @property
    def name(self) -> str:
        if self.failing:
            raise SynthesisError("no voice today")
        return "tones 1"

    def stream(self, request: SpeechRequest) -> Iterator[Audio]:
        self.asked.append(request)
        if self.failing:
            raise SynthesisError("no voice today")
        for word in request.text.split():
            yield self._word(word)

    def _word(self, word: str) -> Audio:
        hertz = 200 + hashlib.sha256(word.encode()).digest()[0] * 4
        time_s = np.arange(round(0.1 * self.rate)) / self.rate
        tone = np.round(9000 * np.sin(2 * np.pi * hertz * time_s)).astype(np.int16)
        return Audio(np.concatenate([np.zeros(self.rate // 20, np.int16), tone])[:, None], self.rate)

    def close(self) -> None:
        self.closed = True


class HandPlayer:
    """A real mixer without a device: the test turns the handle."""

    def __init__(self, tell: Callable[[PlayerEvent], None], rate: int = 22050) -> None:
        self.mixer = Mixer(rate, tell)
        self.tell = tell
        self.closed = False
        self.play, self.append, self.cut = self.mixer.play, self.mixer.append, self.mixer.cut
        self._frames = 0

    @property
    def output(self) -> AudioOutput:
        return AudioOutput.LOUDSPEAKER

    def turn(self, seconds: float) -> NDArray[np.int16]:
        """What is heard in that time."""
        count = round(seconds * self.mixer.rate)
        self._frames += count
        return self.mixer.pull(count, self._frames / self.mixer.rate)

    def close(self) -> None:
        self.closed = True
