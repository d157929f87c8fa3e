"""A natural voice that is late, fails, comes back, or does not speak the language."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from speech.settings import SpeechSettings
from speech.sound.audio import Audio
from speech.synthesis.base import SpeechRequest, SynthesisError
from speech.synthesis.renderer import Renderer
from speech.synthesis.with_deadline import DeadlineSynthesizer, open_neural
from speech.utterance import Priority
from tests.logs import records_of
from tests.speech.made import ToneSynthesizer, utterance

TEXT = "A wide street. A man on a bicycle. Two shops."
WAIT_S = 10.0
LATE_S = 0.1


class Natural:
    """One chunk a sentence, with its number of letters as its level, as soon as it is let go."""

    language = "en"
    name = "natural 1"

    def __init__(self) -> None:
        self.go = threading.Semaphore(0)
        self.asked: list[str] = []
        self.failing = False
        self.closed = threading.Event()

    def load(self) -> None: ...

    def stream(self, request: SpeechRequest) -> Iterator[Audio]:
        self.asked.append(request.text)
        assert self.go.acquire(timeout=WAIT_S)
        if self.failing:
            raise SynthesisError("it is hoarse")
        yield Audio(np.full((2205, 1), 1000 + len(request.text), np.int16), 22050)

    def close(self) -> None:
        self.closed.set()
        self.go.release(100)


class World:
    """A natural voice and a quick one, and texts said by both."""

    def __init__(self, late_s: float = LATE_S) -> None:
        self.natural, self.quick = Natural(), ToneSynthesizer()
        self.voice = DeadlineSynthesizer(self.natural, self.quick, late_s)

    def say(self, text: str = TEXT, language: str = "en") -> tuple[list[Audio], list[str]]:
        """What was heard of the natural voice, and what the quick one was asked."""
        before = len(self.quick.asked)
        chunks = list(self.voice.stream(SpeechRequest(text, language)))
        heard = [chunk for chunk in chunks if chunk.samples[0, 0] >= 1000]
        return heard, [request.text for request in self.quick.asked[before:]]


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.voice.close()


def test_words_in_another_script_are_the_quick_voices(world: World) -> None:
    heard, asked = world.say("The sign says 출구.")
    assert (heard, asked) == ([], ["The sign says 출구."])
    assert world.natural.asked == []
    assert world.voice.fallbacks == 0


def test_in_time_every_sentence_is_the_natural_voices() -> None:
    world = World(late_s=WAIT_S)
    world.natural.go.release(3)
    heard, quick = world.say()
    assert (len(heard), quick, world.voice.fallbacks) == (3, [], 0)
    assert len(heard[0].samples) > 2205  # with the pause after it
    world.voice.close()


def test_the_first_sentence_is_cut_at_its_comma_to_begin_sooner() -> None:
    world = World(late_s=WAIT_S)
    world.natural.go.release(9)
    world.say("On the left, a shop, and a car. Then, a tree.")
    assert world.natural.asked == ["On the left,", "a shop, and a car.", "Then, a tree."]
    world.voice.close()


def test_what_is_late_is_said_by_the_quick_voice_whole(world: World) -> None:
    heard, quick = world.say()
    assert (heard, quick, world.voice.fallbacks) == ([], [TEXT.replace(". ", ".\n")], 1)


def test_the_rest_is_said_by_the_quick_voice_once_a_sentence_does_not_come(world: World) -> None:
    world.natural.go.release(1)
    heard, quick = world.say()
    assert len(heard) == 1
    assert quick == ["A man on a bicycle.\nTwo shops."]


def test_each_streak_is_logged_once_and_each_fallback_counted(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(3):
        world.say("Hello.")
    world.natural.go.release(4)
    while not world.say("Hello.")[0]:  # until the sentences nobody wanted any more are through
        world.natural.go.release(1)
    assert world.voice.fallbacks >= 3
    assert [record.levelname for record in records_of(caplog, "speech.synthesis")] == ["WARNING", "INFO"]


def test_a_failing_voice_is_replaced_at_once() -> None:
    world = World(late_s=WAIT_S)
    world.natural.failing = True
    world.natural.go.release(1)
    heard, quick = world.say("Hello.")
    assert (heard, quick, world.voice.fallbacks) == ([], ["Hello."], 1)
    world.voice.close()


def test_another_language_is_the_quick_voices_and_no_fallback(world: World) -> None:
    heard, quick = world.say("안녕하세요.", "ko")
    assert (heard, quick, world.voice.fallbacks) == ([], ["안녕하세요."], 0)
    assert world.natural.asked == []


def test_what_is_not_wanted_any_more_is_not_made() -> None:
    world = World(late_s=WAIT_S)
    world.natural.go.release(1)
    stream = world.voice.stream(SpeechRequest(TEXT, "en"))
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    world.natural.go.release(5)
    assert len(world.say("Hello.")[0]) == 1
    assert "Two shops." not in world.natural.asked
    world.voice.close()


def test_no_text_is_no_sound(world: World) -> None:
    assert world.say("...") == ([], [])


def test_dangers_and_what_is_prepared_are_the_quick_voices() -> None:
    natural, quick = ToneSynthesizer(), ToneSynthesizer()
    renderer = Renderer(SpeechSettings(), None, quick, natural)
    renderer.prepare([("the camera is back", "en", Priority.MESSAGE)])
    renderer.render(utterance("something new"))
    renderer.render(utterance("the camera is back", priority=Priority.MESSAGE))
    assert natural.asked == []
    renderer.render(utterance("a man walks by", priority=Priority.TEXT))
    assert [request.text for request in natural.asked] == ["a man walks by"]
    assert len(quick.asked) == 2


def test_without_piper_in_the_settings_there_is_no_natural_voice() -> None:
    def locate(name: str) -> None:
        raise AssertionError

    assert open_neural(SpeechSettings(), ToneSynthesizer(), locate) is None  # type: ignore[arg-type]


def test_closing_ends_its_thread(world: World) -> None:
    world.say("Hello.")
    world.voice.close()
    assert world.natural.closed.is_set()
    assert not any(thread.name == "natural-voice" and thread.is_alive() for thread in threading.enumerate())
