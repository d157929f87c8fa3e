"""Phrases of the other language, made while nobody waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.runtime.phrase_prefetch import Phrase, PhrasePrefetch
from daemon.wiring.voice import prepare_phrases
from pipeline import wording
from speech.settings import SpeechSettings
from speech.sound.audio import Audio
from speech.synthesis import phrase_cache as books
from speech.synthesis.base import SpeechRequest
from speech.synthesis.espeak import EspeakSynthesizer
from speech.synthesis.renderer import Renderer
from speech.utterance import Priority
from tests.fakes import core_spec
from tests.speech.made import ToneSynthesizer, needs_espeak, utterance

PATIENCE_S = 10.0


def phrases(count: int, language: str = "ko") -> list[Phrase]:
    return [(f"phrase {number}", language, Priority.DANGER) for number in range(count)]


@pytest.fixture
def rehearsal() -> Iterator[PhrasePrefetch]:
    made = PhrasePrefetch(after_s=0, between_s=0)
    yield made
    made.close()


def ready(renderer: Renderer, phrase: Phrase) -> bool:
    text, language, priority = phrase
    return renderer.cached(utterance(text, language=language, priority=priority)) is not None


def test_after_a_while_all_are_ready(rehearsal: PhrasePrefetch, tmp_path: Path) -> None:
    renderer = Renderer(SpeechSettings(), tmp_path, ToneSynthesizer())
    rehearsal.prefetch(renderer, phrases(5))
    assert rehearsal.wait_idle(PATIENCE_S)
    assert all(ready(renderer, phrase) for phrase in phrases(5))


def test_what_is_ready_is_never_pushed_out(rehearsal: PhrasePrefetch, tmp_path: Path) -> None:
    renderer = Renderer(SpeechSettings(), tmp_path, ToneSynthesizer())
    own = phrases(books.MEMORY_LIMIT, "en")
    renderer.prepare(own)
    rehearsal.prefetch(renderer, phrases(5))
    assert rehearsal.wait_idle(PATIENCE_S)
    assert all(ready(renderer, phrase) for phrase in (*own, *phrases(5)))


class Held(ToneSynthesizer):
    """Each request waits until it is let go, and tells that it has begun."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Semaphore(0)
        self.go = threading.Semaphore(0)

    def stream(self, request: SpeechRequest) -> Iterator[Audio]:
        self.begun.release()
        assert self.go.acquire(timeout=PATIENCE_S)
        return super().stream(request)


def test_a_newer_renderer_takes_the_place_of_the_older(rehearsal: PhrasePrefetch, tmp_path: Path) -> None:
    slow = Held()
    old = Renderer(SpeechSettings(), tmp_path / "old", slow)
    new = Renderer(SpeechSettings(), tmp_path / "new", ToneSynthesizer())
    rehearsal.prefetch(old, phrases(50))
    assert slow.begun.acquire(timeout=PATIENCE_S)
    rehearsal.prefetch(new, phrases(3))
    slow.go.release(50)
    assert rehearsal.wait_idle(PATIENCE_S)
    assert len(slow.asked) == 1
    assert ready(new, phrases(3)[2])


def test_it_waits_and_its_end_does_not(tmp_path: Path) -> None:
    synthesizer, rehearsal = ToneSynthesizer(), PhrasePrefetch(after_s=600)
    rehearsal.prefetch(Renderer(SpeechSettings(), tmp_path, synthesizer), phrases(3))
    rehearsal.close()
    assert rehearsal.wait_idle(PATIENCE_S)
    assert not synthesizer.asked


def test_a_voice_that_fails_ends_nothing(rehearsal: PhrasePrefetch, tmp_path: Path) -> None:
    dead = ToneSynthesizer()
    dead.failing = True
    rehearsal.prefetch(Renderer(SpeechSettings(), tmp_path, dead), phrases(3))
    assert rehearsal.wait_idle(PATIENCE_S)
    renderer = Renderer(SpeechSettings(), tmp_path, ToneSynthesizer())
    rehearsal.prefetch(renderer, phrases(1))
    assert rehearsal.wait_idle(PATIENCE_S)
    assert ready(renderer, phrases(1)[0])


@needs_espeak
def test_a_danger_is_made_while_many_still_wait(tmp_path: Path) -> None:
    settings = SpeechSettings()
    with EspeakSynthesizer(settings) as synthesizer:
        renderer, rehearsal = Renderer(settings, tmp_path, synthesizer), PhrasePrefetch(after_s=0)
        try:
            rehearsal.prefetch(renderer, phrases(300))
            assert list(renderer.stream_speech(utterance("a danger nobody has thought of")))
            assert not ready(renderer, phrases(300)[-1])
        finally:
            rehearsal.close()


def test_dangers_and_what_is_said_of_the_program_are_ready() -> None:
    renderer = Renderer(SpeechSettings(), None, ToneSynthesizer())
    prepare_phrases(renderer, core_spec())
    for text in (*wording.HEALTH["en"].values(), wording.GOODBYE["en"]):
        assert ready(renderer, (text, "en", Priority.MESSAGE)), text
    assert ready(renderer, ("Stop! fire on your left.", "en", Priority.DANGER))


def test_a_voice_that_died_since_yesterday_starts_with_yesterdays_dangers(tmp_path: Path) -> None:
    voice = ToneSynthesizer()
    spec = core_spec()
    texts = [text for h in spec.hazards for text in wording.danger_phrases(h.say, "en", h.call)]
    Renderer(SpeechSettings(), tmp_path, voice).prepare([(text, "en", Priority.DANGER) for text in texts])
    voice.failing = True
    renderer = Renderer(SpeechSettings(), tmp_path, voice)
    prepare_phrases(renderer, spec)
    assert all(ready(renderer, (text, "en", Priority.DANGER)) for text in texts)
