"""Utterances turned into sound: earcon, words, level, side."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from speech.settings import SpeechSettings
from speech.sound.audio import Audio
from speech.sound.earcons import EARCONS, GAP_S, earcon
from speech.sound.effects import joined, panned, silence
from speech.synthesis.base import SpeechRequest, Synthesizer
from speech.synthesis.phrase_cache import PhraseCache, render_chunks
from speech.text.normalize import normalize
from speech.utterance import Priority, Utterance

log = logging.getLogger(__name__)

SLOWEST_WPM, FASTEST_WPM = 80, 500
"""Range of rates that the engines can speak, in words a minute."""


class Renderer:
    """Makes the sound of an utterance: int16 stereo at `speech.sample_rate`.

    The same every time, unless there is a `natural` voice: that one says everything that is neither prepared
    nor a danger.
    """

    def __init__(
        self,
        settings: SpeechSettings,
        cache_dir: Path | None,
        synthesizer: Synthesizer,
        neural: Synthesizer | None = None,
    ) -> None:
        self._settings = settings
        self._synthesizer = synthesizer
        self._neural = neural or synthesizer
        self._phrases = PhraseCache(cache_dir, settings.sample_rate)
        # Joining and panning cost a millisecond; repeated alerts skip even that.
        self._assemble_cached = lru_cache(maxsize=256)(self._assemble)

    @property
    def rate(self) -> int:
        """Hertz of everything rendered."""
        return self._settings.sample_rate

    def render(self, utterance: Utterance) -> Audio:
        """The whole sound; without a frame if there is nothing to say. Raises SynthesisError."""
        return self.cached(utterance) or joined(self.stream(utterance), self.rate, 2)

    def stream(self, utterance: Utterance) -> Iterator[Audio]:
        """The same sound in chunks, as soon as each is made. Raises SynthesisError."""
        cached = self.cached(utterance)
        if cached is not None:
            yield cached
            return
        yield self.earcon_audio(utterance)
        yield from self.stream_speech(utterance)

    def earcon_audio(self, utterance: Utterance) -> Audio:
        """The earcon before the words, made at once; empty if there is none."""
        if utterance.earcon is None:
            return silence(0, self.rate, 2)
        return self._pan(self._earcon(utterance.earcon), utterance.pan)

    def stream_speech(self, utterance: Utterance) -> Iterator[Audio]:
        """The words in chunks. Raises SynthesisError."""
        request = self.request(utterance.text, utterance.language, utterance.priority)
        # Dangers never use the natural voice: it is slower, and its delay varies.
        voice = self._synthesizer if utterance.priority == Priority.DANGER else self._neural
        for chunk in render_chunks(voice.stream(request), self.rate):
            yield self._pan(chunk, utterance.pan)

    def cached(self, utterance: Utterance) -> Audio | None:
        """The whole sound if its words are prepared; waits for no engine."""
        request = self.request(utterance.text, utterance.language, utterance.priority)
        try:
            return self._assemble_cached(request, utterance.earcon, utterance.pan)
        except KeyError:
            return None

    def prepare(
        self,
        phrases: Iterable[tuple[str, str, Priority]],
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Have these (text, language, priority) ready. Raises SynthesisError."""
        requests = [self.request(*phrase) for phrase in phrases]
        self._phrases.prepare(requests, self._synthesizer, progress)

    def prefetch(self, phrases: Iterable[tuple[str, str, Priority]], go_on: Callable[[], bool]) -> None:
        """Have these ready on disk, as long as `go_on`. Raises SynthesisError."""
        requests = [self.request(*phrase) for phrase in phrases]
        self._phrases.prefetch(requests, self._synthesizer, go_on)

    def request(self, text: str, language: str, priority: Priority = Priority.TEXT) -> SpeechRequest:
        """How that text is asked of the engine. A voice of one's choice holds for one's own language.

        Volume is left to the very end, since preparation makes everything equally loud.
        """
        settings = self._settings
        own = settings.voice if language == settings.language and settings.voice != "auto" else None
        rate = settings.danger_rate_wpm if priority == Priority.DANGER else settings.rate_wpm
        if language == "ko":
            # Bounded again: the factor may leave the range that the engines accept.
            rate = min(max(round(rate * settings.korean_rate), SLOWEST_WPM), FASTEST_WPM)
        said = normalize(text, language)
        return SpeechRequest(said, language, rate_wpm=rate, pitch=settings.pitch, voice=own)

    def _assemble(self, request: SpeechRequest, earcon_name: str | None, pan: float) -> Audio:
        """Raises KeyError, which no cache keeps, if the words are not prepared."""
        words = self._phrases.get(request)
        if words is None:
            raise KeyError(request)
        parts = [words] if earcon_name is None else [self._earcon(earcon_name), words]
        return self._pan(joined(parts, self.rate, 1), pan)

    def _pan(self, mono: Audio, pan: float) -> Audio:
        # Not cached with the phrase: a change of volume must not synthesise every phrase again.
        return panned(mono, pan * self._settings.pan_width, self._settings.volume)

    def _earcon(self, name: str) -> Audio:
        """Earcon and gap, mono; nothing for an unknown one, for the words matter more."""
        if name not in EARCONS:
            log.error("no earcon is called %r; there are %s", name, ", ".join(EARCONS))
            return silence(0, self.rate)
        return joined([earcon(name, self.rate), silence(GAP_S, self.rate)], self.rate, 1)
