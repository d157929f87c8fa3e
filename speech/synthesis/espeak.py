"""pyttsx3 with espeak-ng as a `Synthesizer`, in a child process."""

from __future__ import annotations

import importlib.metadata
import threading
from collections.abc import Iterator
from functools import cache
from types import TracebackType

import numpy as np

from common.child_process import ChildError, ChildProcess
from speech.settings import SpeechSettings
from speech.sound.audio import Audio
from speech.sound.effects import joined, silence, trimmed
from speech.synthesis.base import SpeechRequest, SynthesisError
from speech.text.clauses import Clause, clauses

ESPEAK_WORKER = "speech.synthesis.espeak_worker"
"""The module of the process."""
MISSING = {
    "pyttsx3": "pyttsx3 is not installed: `pip install pyttsx3`",
    "library": "espeak-ng is not installed: install Debian's package espeak-ng (`apt install espeak-ng`)",
}


class UnknownVoiceError(SynthesisError):
    """The engine has no voice of the name in the settings."""


class EspeakSynthesizer:
    """Speaks English and Korean, and any language espeak-ng has. The same request gives the same samples.

    Every wait is bounded by `speech.synthesis_timeout_s` (and by the start of the child, once). May be used
    by several threads: their clauses are made in turn.
    """

    def __init__(self, settings: SpeechSettings, child: ChildProcess | None = None) -> None:
        self._timeout_s = settings.synthesis_timeout_s
        self._child = child or ChildProcess(ESPEAK_WORKER)
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Engine and version, asked of the child. Raises SynthesisError."""
        with _TimedLock(self._lock, self._timeout_s):
            return self._greeting()

    def stream(self, request: SpeechRequest) -> Iterator[Audio]:
        """One mono chunk a clause, silence trimmed, the pause to the next clause at its end."""
        for clause in clauses(request.text, request.language):
            sound = self._sound(clause, request)
            if len(sound.samples):
                pause = silence(clause.pause_s * 180 / request.rate_wpm, sound.rate)
                yield joined([sound, pause], sound.rate, 1)

    def close(self) -> None:
        self._child.close()

    def __enter__(self) -> EspeakSynthesizer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _sound(self, clause: Clause, request: SpeechRequest) -> Audio:
        voice = request.voice or request.language
        header = {
            "text": clause.text,
            "voice": voice,
            "rate": request.rate_wpm,
            "volume": request.volume,
            "pitch": request.pitch,
        }
        with _TimedLock(self._lock, self._timeout_s):
            # First, so that a missing package is reported as such and not as a lost child.
            self._greeting()
            try:
                answer, samples = self._child.ask(header, self._timeout_s)
            except ChildError as error:
                raise SynthesisError(f"the voice is gone: {error}") from None
        if answer.get("error") == "voice":
            raise UnknownVoiceError(
                f"speech.voice: espeak-ng has no voice {voice!r}; `espeak-ng --voices` lists what it has"
            )
        if "error" in answer:
            raise SynthesisError(f"the voice failed: {answer.get('message')}")
        mono = np.frombuffer(samples, np.int16).reshape(-1, 1)
        return trimmed(Audio(mono, int(answer["rate"])), tail=True)

    def _greeting(self) -> str:
        try:
            greeting = self._child.greeting()
        except ChildError as error:
            raise SynthesisError(f"the voice is gone: {error}") from None
        if "error" in greeting:
            # The child reported that it cannot work; a new one may, once the package has been installed.
            self._child.stop()
            raise SynthesisError(MISSING.get(str(greeting["error"]), "the voice does not start"))
        return f"{greeting['name']}, pyttsx3 {_library_version()}"


@cache
def _library_version() -> str:
    return importlib.metadata.version("pyttsx3")


class _TimedLock:
    """Acquires a lock with a timeout. Raises SynthesisError after it."""

    def __init__(self, lock: threading.Lock, timeout_s: float) -> None:
        self._lock = lock
        self._timeout_s = timeout_s

    def __enter__(self) -> None:
        # Twice: the thread before us may need its own timeout in full.
        if not self._lock.acquire(timeout=2 * self._timeout_s):
            raise SynthesisError("the voice is busy with something else")

    def __exit__(self, *_: object) -> None:
        self._lock.release()
