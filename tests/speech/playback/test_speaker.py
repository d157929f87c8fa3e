"""The live shell: what it starts, cuts and reports, with the mixer turned by hand."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import SimpleQueue

import numpy as np
import pytest
from numpy.typing import NDArray

from speech.outbox.messages import Enqueue, Input, PlaybackBegan, PlaybackEnded, SpeechFailed
from speech.outbox.outbox import Outbox
from speech.playback.base import AudioOutput, AudioOutputChanged, PlaybackFailed
from speech.playback.speaker import Speaker
from speech.settings import OutboxSettings, SpeechSettings
from speech.sound.audio import Audio
from speech.synthesis.base import SpeechRequest
from speech.synthesis.renderer import Renderer
from speech.utterance import Priority
from tests.speech.made import HandPlayer, ToneSynthesizer, utterance


class Room:
    """A speaker, its handle, and all it reported."""

    def __init__(self, synthesizer: ToneSynthesizer | None = None, try_again_s: float = 60.0) -> None:
        self.synthesizer = synthesizer or ToneSynthesizer()
        self.renderer = Renderer(SpeechSettings(), None, self.synthesizer)
        self.reports: list[Input] = []
        self.outlets: list[AudioOutputChanged] = []
        self.reported = threading.Event()
        self.voice: SimpleQueue[str] = SimpleQueue()
        self.speaker = Speaker(
            self.renderer,
            HandPlayer,
            self.report,
            self.outlets.append,
            on_voice_change=self.voice.put,
            try_again_s=try_again_s,
        )
        assert isinstance(self.speaker.player, HandPlayer)
        self.player = self.speaker.player

    def report(self, event: PlaybackBegan | PlaybackEnded | SpeechFailed, at_s: float) -> None:
        self.reports.append(event)
        self.reported.set()

    def hear_until(self, event: Input) -> NDArray[np.int16]:
        """Turn until that is reported."""
        heard = [np.zeros((0, 2), np.int16)]
        for _ in range(2000):
            heard.append(self.player.turn(0.01))
            if event in self.reports:
                return np.concatenate(heard)
            self.reported.wait(0.005)
            self.reported.clear()
        raise AssertionError(f"never reported {event}; there was {self.reports}")


@pytest.fixture
def room() -> Iterator[Room]:
    made = Room()
    yield made
    made.speaker.close()


def test_a_prepared_danger_is_with_the_player_when_start_returns(room: Room) -> None:
    alarm = utterance(pan=1.0)
    room.renderer.prepare([(alarm.text, "en", Priority.DANGER)])
    room.speaker.start(alarm)
    whole = room.renderer.render(alarm)
    heard = room.player.turn(whole.duration_s)
    assert np.array_equal(heard, whole.samples)
    assert room.reports == [PlaybackBegan("a1"), PlaybackEnded("a1")]


def test_anything_else_is_made_in_the_background_and_heard_whole(room: Room) -> None:
    text = utterance("a man walks by", id="t", priority=Priority.TEXT, earcon=None)
    room.speaker.start(text)
    heard = room.hear_until(PlaybackEnded("t"))
    whole = room.renderer.render(text).samples
    loud = np.flatnonzero(heard.any(axis=1))
    expected = np.flatnonzero(whole.any(axis=1))
    assert np.array_equal(heard[loud], whole[expected])
    assert room.reports == [PlaybackBegan("t"), PlaybackEnded("t")]


class SlowSynthesizer(ToneSynthesizer):
    """Waits before each word until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Semaphore(0)

    def stream(self, request: SpeechRequest) -> Iterator[Audio]:
        for chunk in super().stream(request):
            assert self.go.acquire(timeout=10)
            yield chunk


def test_a_danger_waits_for_no_synthesis() -> None:
    synthesizer = SlowSynthesizer()
    room = Room(synthesizer)
    synthesizer.go.release(2)
    alarm = utterance()
    room.renderer.prepare([(alarm.text, "en", Priority.DANGER)])
    text = utterance("one two three", id="t", priority=Priority.TEXT, earcon=None)
    room.speaker.start(text)
    room.speaker.cut("t")
    room.speaker.start(alarm)
    room.player.turn(5.0)
    assert room.reports == [PlaybackBegan("a1"), PlaybackEnded("a1")]
    synthesizer.go.release(10)
    room.speaker.close()


def test_an_unprepared_danger_is_announced_at_once_by_its_earcon() -> None:
    synthesizer = SlowSynthesizer()
    room = Room(synthesizer)
    room.speaker.start(utterance("something new"))
    assert room.player.turn(0.01).any()
    assert room.reports == [PlaybackBegan("a1")]
    synthesizer.go.release(10)
    room.hear_until(PlaybackEnded("a1"))
    room.speaker.close()


def test_a_cut_ends_the_sound_and_its_late_words_never_come() -> None:
    synthesizer = SlowSynthesizer()
    room = Room(synthesizer)
    text = utterance("one two three", id="t", priority=Priority.TEXT, earcon=None)
    synthesizer.go.release()
    room.speaker.start(text)
    room.hear_until(PlaybackBegan("t"))
    room.speaker.cut("t")
    room.speaker.start(text)  # the same utterance again: late words of the first turn must not slip in
    synthesizer.go.release(10)
    heard = room.hear_until(PlaybackEnded("t"))
    loud = heard[round(0.01 * 22050) :]
    assert np.count_nonzero(loud.any(axis=1)) <= len(room.renderer.render(text).samples)
    room.speaker.close()


def test_words_that_cannot_be_made_are_reported(room: Room) -> None:
    room.synthesizer.failing = True
    room.speaker.start(utterance("hello", id="t", priority=Priority.TEXT))
    room.hear_until(SpeechFailed("t", "no voice today"))
    assert room.speaker.failures == 1


def test_a_danger_without_a_voice_is_told_by_tones(room: Room) -> None:
    room.synthesizer.failing = True
    room.speaker.start(utterance("fire ahead"))
    heard = room.hear_until(PlaybackEnded("a1"))
    assert PlaybackBegan("a1") in room.reports
    assert np.count_nonzero(heard.any(axis=1)) / 22050 > 0.4  # the earcon and the one for errors


def test_a_message_without_a_voice_is_told_by_the_tone_for_errors(room: Room) -> None:
    room.synthesizer.failing = True
    room.speaker.start(utterance("camera lost", id="m", priority=Priority.MESSAGE, earcon=None))
    heard = room.hear_until(PlaybackEnded("m"))
    tone = room.renderer.earcon_audio(utterance(earcon="error")).samples
    loud, expected = np.flatnonzero(heard.any(axis=1)), np.flatnonzero(tone.any(axis=1))
    assert np.array_equal(heard[loud], tone[expected])


def test_a_voice_that_fails_twice_is_reported_and_so_is_its_return(room: Room) -> None:
    room.synthesizer.failing = True
    for number in range(3):
        assert room.voice.empty() or number == 2, "one failure may be the text's"
        room.speaker.start(utterance("hello", id=f"t{number}", priority=Priority.TEXT))
        room.hear_until(SpeechFailed(f"t{number}", "no voice today"))
    assert room.voice.get(timeout=10) == "no voice today"
    room.synthesizer.failing = False
    room.speaker.start(utterance("hello", id="t9", priority=Priority.TEXT))
    room.hear_until(PlaybackEnded("t9"))
    assert room.voice.get(timeout=10) == ""
    assert room.voice.empty()


def test_a_text_that_cannot_be_said_is_no_fault_of_the_voice(room: Room) -> None:
    for number, failing in enumerate((True, False, True, False)):
        room.synthesizer.failing = failing
        room.speaker.start(utterance("hello", id=f"t{number}", priority=Priority.TEXT))
        room.hear_until(
            SpeechFailed(f"t{number}", "no voice today") if failing else PlaybackEnded(f"t{number}")
        )
    assert room.voice.empty()


def test_a_voice_that_failed_is_tried_again_though_nobody_wants_words() -> None:
    room = Room(try_again_s=0.01)
    try:
        room.synthesizer.failing = True
        room.speaker.start(utterance("hello", id="t", priority=Priority.TEXT))
        assert room.voice.get(timeout=10) == "no voice today"
        room.synthesizer.failing = False
        assert room.voice.get(timeout=10) == ""
        room.hear_until(SpeechFailed("t", "no voice today"))
        assert not room.player.turn(1.0).any(), "it is not heard"
    finally:
        room.speaker.close()


def test_a_lost_loudspeaker_fails_what_sounds_and_is_passed_on(room: Room) -> None:
    room.speaker.start(utterance("hello", id="t", priority=Priority.TEXT))
    room.player.tell(PlaybackFailed("t#1", "unplugged"))
    changed = AudioOutputChanged(AudioOutput.NOWHERE, "unplugged", 1.0)
    room.player.tell(changed)
    assert room.reports[-1] == SpeechFailed("t", "unplugged")
    assert room.outlets == [changed]


def test_closing_is_prompt_and_closes_the_player() -> None:
    room = Room()
    assert room.speaker.alive
    room.speaker.close()
    assert room.player.closed


def test_with_an_outbox_danger_cuts_and_a_message_comes_back(room: Room) -> None:
    """The whole way: effects go to the speaker, reports back into the outbox."""
    outbox = Outbox(OutboxSettings())
    message = utterance("the camera is back", id="m", priority=Priority.MESSAGE, key="m", earcon=None)
    alarm = utterance(id="d")
    room.renderer.prepare([(alarm.text, "en", Priority.DANGER)])

    def feed(event: Input) -> None:
        for effect in outbox.step(event, 0.0):
            room.speaker.execute(effect)

    feed(Enqueue(message))
    room.hear_until(PlaybackBegan("m"))
    feed(PlaybackBegan("m"))
    feed(Enqueue(alarm))
    room.hear_until(PlaybackEnded("d"))
    feed(PlaybackBegan("d"))
    feed(PlaybackEnded("d"))
    room.hear_until(PlaybackEnded("m"))
    assert [type(event).__name__ + " " + event.id for event in room.reports] == [  # type: ignore[union-attr]
        *("PlaybackBegan m", "PlaybackBegan d", "PlaybackEnded d", "PlaybackBegan m", "PlaybackEnded m"),
    ]
