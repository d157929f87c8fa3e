"""A natural voice that may be late, and the quick one that speaks in its place."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from speech.settings import SpeechSettings
from speech.sound.audio import Audio
from speech.sound.effects import joined, silence
from speech.synthesis.base import SpeechRequest, SynthesisError, Synthesizer
from speech.synthesis.piper import PiperSynthesizer
from speech.text.clauses import Clause, clauses, split_first_clause

log = logging.getLogger(__name__)

SENTENCES_AHEAD = 4
"""Sentences made ahead of the one that is taken."""
CLOSE_S = 2.0
LAST_LATIN = "\u024f"
"""The letters of Latin alphabets end here."""
ABANDON_S = 60.0
"""Seconds after which a text whose sentences are not taken is forgotten."""


class NeuralVoice(Synthesizer, Protocol):
    """A synthesiser of one language that takes its time."""

    @property
    def language(self) -> str: ...

    def load(self) -> None:
        """Have everything in memory. Raises SynthesisError."""
        ...


def open_neural(
    settings: SpeechSettings, quick: Synthesizer, locate: Callable[[str], Path]
) -> DeadlineSynthesizer | None:
    """The voice for everything but dangers if `speech.engine` is another than espeak-ng.

    `locate` finds a voice's folder by its name in the store; its errors are passed on. Raises SynthesisError.
    """
    if settings.engine == "espeak":
        return None
    voice = PiperSynthesizer(settings, voice_folder(settings, locate))
    return DeadlineSynthesizer(voice, quick, settings.late_ms / 1e3)


def voice_folder(settings: SpeechSettings, locate: Callable[[str], Path]) -> Path:
    """Piper's voice: the user's own folder, or a name that `locate` knows."""
    wanted = settings.piper_voice
    return Path(wanted).expanduser() if "/" in wanted else locate(wanted)


class DeadlineSynthesizer:
    """Implements `Synthesizer`: the natural voice if it speaks the language and keeps up.

    Its first words have `late_s`; each further sentence has until the one before it has been heard, and
    `late_s` more. A sentence that is late, and the rest of the text, is said by the quick voice.
    """

    def __init__(
        self,
        neural: NeuralVoice,
        quick: Synthesizer,
        late_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Loads the natural voice in the background; until it is there, the quick one speaks."""
        self._neural = neural
        self._quick = quick
        self._late_s = late_s
        self._clock = clock
        self._jobs: queue.SimpleQueue[_SynthesisJob | None] = queue.SimpleQueue()
        self._in_time = True
        self._closing = False
        self.fallbacks = 0
        """Texts that the quick voice had to say, or to finish."""
        self._thread = threading.Thread(target=self._work, name="natural-voice", daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        """The natural engine's. Raises SynthesisError."""
        return self._neural.name

    def stream(self, request: SpeechRequest) -> Iterator[Audio]:
        """Chunks of sound in order. Raises SynthesisError if the quick voice fails, too."""
        if request.language != self._neural.language or _has_other_script(request.text):
            yield from self._quick.stream(request)
            return
        job = _SynthesisJob(request, split_first_clause(clauses(request.text, request.language)))
        self._jobs.put(job)
        try:
            yield from self._chunks_in_time(job)
        finally:
            job.cancel()

    def close(self) -> None:
        """End the natural voice; the quick one is owned elsewhere."""
        self._closing = True
        self._jobs.put(None)
        # Before the join: it ends the call in which the thread may be waiting.
        self._neural.close()
        self._thread.join(CLOSE_S)

    def _chunks_in_time(self, job: _SynthesisJob) -> Iterator[Audio]:
        heard_at_s = self._clock()
        for number in range(len(job.pieces)):
            try:
                chunk = job.get(heard_at_s + self._late_s - self._clock())
            except SynthesisError as error:
                self._on_late(str(error))
                yield from self._quick.stream(replace(job.request, text=job.text_from(number)))
                return
            self._on_in_time()
            # The next chunk is needed when this one has been heard, which begins when the one before it has.
            heard_at_s = max(heard_at_s, self._clock()) + chunk.duration_s
            if len(chunk.samples):
                yield chunk

    def _on_late(self, reason: str) -> None:
        self.fallbacks += 1
        if self._in_time:
            log.warning("espeak-ng speaks in place of the natural voice: %s", reason)
        # Logged at the change only: on a slow machine every sentence is late.
        self._in_time = False

    def _on_in_time(self) -> None:
        if not self._in_time:
            log.info("the natural voice is in time again, after %d fallbacks", self.fallbacks)
        self._in_time = True

    def _work(self) -> None:
        try:
            self._neural.load()
        except SynthesisError as error:
            if not self._closing:
                log.warning("the natural voice does not start: %s", error)
        while (job := self._jobs.get()) is not None:  # ends by the None that close() puts
            # The text was cut and its pieces were not taken.
            with contextlib.suppress(queue.Full):
                job.run(self._neural)


def _has_other_script(text: str) -> bool:
    """True if it has letters that a voice for Latin script leaves out; espeak-ng reads them all."""
    return any(letter.isalpha() and letter > LAST_LATIN for letter in text)


class _SynthesisJob:
    """A text on its way from the thread that makes sound to the one that takes it."""

    def __init__(self, request: SpeechRequest, pieces: tuple[Clause, ...]) -> None:
        self.request = request
        self.pieces = pieces
        self._chunks: queue.Queue[Audio | SynthesisError] = queue.Queue(SENTENCES_AHEAD)
        self._cancelled = threading.Event()

    def run(self, voice: Synthesizer) -> None:
        """Make one piece after the other until they are no longer wanted. Raises queue.Full."""
        for piece in self.pieces:
            if self._cancelled.is_set():
                return
            try:
                self._chunks.put(self._piece(voice, piece), timeout=ABANDON_S)
            except SynthesisError as error:
                self._chunks.put(error, timeout=ABANDON_S)
                return

    def get(self, timeout_s: float) -> Audio:
        """The next piece. Raises SynthesisError if it cannot be had in time."""
        try:
            chunk = self._chunks.get(timeout=max(timeout_s, 0.0))
        except queue.Empty:
            raise SynthesisError("it is late") from None
        if isinstance(chunk, SynthesisError):
            raise chunk
        return chunk

    def cancel(self) -> None:
        """Cancel the pieces not made yet."""
        self._cancelled.set()
        with contextlib.suppress(queue.Empty):
            while True:  # makes room for a thread that waits to put the next one
                self._chunks.get_nowait()

    def text_from(self, number: int) -> str:
        """The text from that piece on."""
        return "\n".join(piece.text for piece in self.pieces[number:])

    def _piece(self, voice: Synthesizer, piece: Clause) -> Audio:
        chunks = list(voice.stream(replace(self.request, text=piece.text)))
        if not chunks:
            return silence(0, 1)
        pause = silence(piece.pause_s * 180 / self.request.rate_wpm, chunks[0].rate)
        return joined([*chunks, pause], chunks[0].rate, 1)
