"""Piper as a `Synthesizer`: a natural voice, in a child process. Needs the extra `piper`."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.child_process import ChildError, ChildProcess, Message
from speech.settings import SpeechSettings
from speech.sound.audio import Audio
from speech.sound.effects import joined, silence, trimmed
from speech.synthesis.base import SpeechRequest, SynthesisError
from speech.text.clauses import Clause, clauses

NATURAL_WPM = 200
"""Words a minute of a voice left alone: espeak-ng takes as long for the same text at this rate."""
FIXED = 0.24
"""Share of a text's natural length that Piper's length scale does not touch, since every sound is rounded up
to whole frames: a text takes FIXED + (1 - FIXED) * scale. Measured with piper-en-us-joe, 80 to 500 words."""
SHORTEST_SCALE = 0.15
LOAD_S = 60.0
"""Seconds that loading a model may take on a busy machine. Done once, before the first utterance."""
MISSING = "Piper is not installed: `pip install 'watchword[piper]'`, or set speech.engine = \"espeak\""


@dataclass(frozen=True, slots=True)
class VoiceFiles:
    """A Piper voice on disk: NAME.onnx with NAME.onnx.json beside it."""

    model: Path
    language: str
    """As in `speech.language`: en, ko, ..."""


def voice_files(folder: Path) -> VoiceFiles:
    """The voice in that folder. Raises SynthesisError."""
    models = sorted(path for path in folder.glob("*.onnx") if Path(f"{path}.json").is_file())
    if len(models) != 1:
        raise SynthesisError(
            f"speech.piper_voice: {folder} has to hold one Piper voice (NAME.onnx and NAME.onnx.json), "
            f"not {len(models)}"
        )
    described = f"{models[0]}.json"
    try:
        config = json.loads(Path(described).read_text(encoding="utf-8"))
        return VoiceFiles(models[0], str(config["espeak"]["voice"]).partition("-")[0])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SynthesisError(f"speech.piper_voice: {described} describes no Piper voice: {error!r}") from None


def length_scale(rate_wpm: int) -> float:
    """Piper's length scale for so many words a minute."""
    return max((NATURAL_WPM / rate_wpm - FIXED) / (1 - FIXED), SHORTEST_SCALE)


class PiperSynthesizer:
    """Speaks the one language of its voice. Not two times alike: its prosody is drawn at random.

    Pitch and `request.voice` are espeak-ng's and are left alone here. Every wait is bounded by
    `speech.synthesis_timeout_s`, that for loading the model by `LOAD_S`. For one thread at a time.
    """

    def __init__(self, settings: SpeechSettings, folder: Path, child: ChildProcess | None = None) -> None:
        """Raises SynthesisError if the folder holds no voice."""
        self._timeout_s = settings.synthesis_timeout_s
        self._files = voice_files(folder)
        self._child = child or ChildProcess("speech.synthesis.piper_worker")
        self._loaded_by: int | None = None
        self._lock = threading.Lock()

    @property
    def language(self) -> str:
        """The language it speaks."""
        return self._files.language

    @property
    def name(self) -> str:
        """Engine, version and voice. Raises SynthesisError."""
        with self._lock:
            return f"{self._greeting()}, {self._files.model.stem}"

    def stream(self, request: SpeechRequest) -> Iterator[Audio]:
        """One mono chunk a sentence, silence trimmed, the pause to the next one at its end."""
        for clause in clauses(request.text, request.language):
            sound = self._sound(clause, request)
            if len(sound.samples):
                pause = silence(clause.pause_s * 180 / request.rate_wpm, sound.rate)
                yield joined([sound, pause], sound.rate, 1)

    def load(self) -> None:
        """Have the model in memory, so that the first words need not wait for it. Raises SynthesisError."""
        with self._lock:
            self._greeting()
            # A child that was replaced meanwhile has lost the model.
            if self._loaded_by != self._child.pid:
                self._ask("", 1.0, 1.0, LOAD_S)
                self._loaded_by = self._child.pid

    def close(self) -> None:
        self._child.close()

    def _sound(self, clause: Clause, request: SpeechRequest) -> Audio:
        self.load()
        with self._lock:
            slower = length_scale(request.rate_wpm)
            answer, samples = self._ask(clause.text, slower, request.volume, self._timeout_s)
        mono = np.frombuffer(samples, np.int16).reshape(-1, 1)
        return trimmed(Audio(mono, int(answer["rate"])), tail=True)

    def _ask(self, text: str, slower: float, volume: float, timeout_s: float) -> Message:
        header = {"model": str(self._files.model), "text": text, "slower": slower, "volume": volume}
        try:
            answer, samples = self._child.ask(header, timeout_s)
        except ChildError as error:
            raise SynthesisError(f"Piper is gone: {error}") from None
        if "error" in answer:
            raise SynthesisError(f"Piper failed: {answer.get('message')}")
        return answer, samples

    def _greeting(self) -> str:
        try:
            greeting = self._child.greeting()
        except ChildError as error:
            raise SynthesisError(f"Piper is gone: {error}") from None
        if "error" in greeting:
            self._child.stop()
            raise SynthesisError(MISSING)
        return str(greeting["name"])
