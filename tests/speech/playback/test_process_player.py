"""The voice at a sound server that dies again and again, and two dangers at once."""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from daemon.bench.loudspeaker import PrivatePulse
from speech.outbox.messages import Effect, Enqueue, Input, SpeechStarted
from speech.outbox.outbox import Outbox
from speech.playback.base import (
    AudioOutput,
    AudioOutputChanged,
    PlaybackFailed,
    PlaybackFinished,
    PlaybackStarted,
)
from speech.playback.process_player import ProcessPlayer
from speech.playback.speaker import Speaker
from speech.settings import SpeechSettings
from speech.synthesis.espeak import EspeakSynthesizer
from speech.synthesis.renderer import Renderer
from speech.utterance import Priority, Utterance
from tests.speech.made import needs_espeak, utterance
from tests.speech.playback.test_loudspeaker import RATE, SETTINGS, Told, likeness, listen_to, starts, tone

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("WATCHWORD_KILLS", "3"))
"""How often the sound server dies."""
WAIT_S = 15.0


@pytest.mark.timeout(60 + 15 * KILLS)
def test_the_voice_comes_back_each_time_the_sound_server_dies(
    pulse: PrivatePulse, caplog: pytest.LogCaptureFixture
) -> None:
    """From the server's start to the first sample; printed, and loosely bounded by `Told.until`."""
    told, back_s = Told(), []
    caplog.set_level(logging.INFO)
    player = ProcessPlayer(SETTINGS, told)
    told.until(AudioOutputChanged, outlet=AudioOutput.LOUDSPEAKER)
    for turn in range(KILLS):
        player.play(f"before{turn}", tone(440, 30.0, 0))
        told.until(PlaybackStarted, f"before{turn}")
        pulse.kill()
        lost = told.until(AudioOutputChanged, outlet=AudioOutput.NOWHERE)
        assert isinstance(lost, AudioOutputChanged)
        told.until(PlaybackFailed, f"before{turn}")
        began_s = time.monotonic()
        pulse.start()
        told.until(AudioOutputChanged, outlet=AudioOutput.LOUDSPEAKER)
        player.play(f"after{turn}", tone(440, 0.1, 1))
        told.until(PlaybackStarted, f"after{turn}")
        back_s.append(time.monotonic() - began_s)
        told.until(PlaybackFinished, f"after{turn}")
    ear = listen_to(pulse)
    player.play("heard", tone(440, 0.3, 1))
    told.until(PlaybackFinished, "heard")
    assert ear.wait(ear.frames() + RATE // 2, WAIT_S)
    assert len(starts(ear.samples()[:, 1] != 0)) == 1
    ear.close()
    changes = [event.output for event in told.all if isinstance(event, AudioOutputChanged)]
    print(f"\nback after {[round(value, 2) for value in back_s]} s")  # noqa: T201
    assert changes == [AudioOutput.LOUDSPEAKER, *[AudioOutput.NOWHERE, AudioOutput.LOUDSPEAKER] * KILLS]
    logged = [record.levelname for record in caplog.records if "sound goes to" in record.getMessage()]
    assert logged == ["INFO", *["WARNING", "INFO"] * KILLS]
    assert (player.losses, player.restarts, player.alive) == (KILLS, 0, True)
    player.close()


class Mouth:
    """Outbox and speaker, joined as the daemon joins them."""

    def __init__(self, renderer: Renderer) -> None:
        self.outbox, self.lock = Outbox(SETTINGS.outbox), threading.RLock()
        self.effects: list[Effect] = []
        self.told = Told()
        self.speaker = Speaker(renderer, lambda tell: ProcessPlayer(SETTINGS, tell), self.step, self.told)

    def step(self, event: Input, at_s: float) -> None:
        with self.lock:
            effects = self.outbox.step(event, time.monotonic())
            self.effects += effects
            for effect in effects:
                self.speaker.execute(effect)
        for effect in effects:
            self.told(effect)


@needs_espeak
def test_two_alternating_dangers_are_both_heard(pulse: PrivatePulse) -> None:
    """Raised in turn, quicker than they can be said: neither starves the other."""
    fire = utterance("Stop! Fire ahead.", id="fire", key="fire", pan=-1.0, expires_at_s=float("inf"))
    car = utterance("Wait! Vehicle ahead.", id="car", key="car", pan=1.0, expires_at_s=float("inf"))
    with EspeakSynthesizer(SpeechSettings()) as voice:
        renderer = Renderer(SETTINGS, None, voice)
        renderer.prepare([(alarm.text, "en", Priority.DANGER) for alarm in (fire, car)])
        mouth = Mouth(renderer)
        try:
            mouth.told.until(AudioOutputChanged, outlet=AudioOutput.LOUDSPEAKER)
            ear = listen_to(pulse)
            for number in range(6):
                for alarm in (fire, car):
                    mouth.step(Enqueue(_again(alarm, number)), 0.0)
                    threading.Event().wait(0.15)
            spoken: set[str] = set()
            while spoken != {"fire", "car"}:
                event = mouth.told.until(SpeechStarted)
                assert isinstance(event, SpeechStarted)
                spoken.add(event.utterance.key)
            # The words alone: the second of two dangers in a row comes without a sound of its own.
            sounds = [renderer.render(replace(alarm, earcon=None)).samples for alarm in (fire, car)]
            for _ in range(20):
                assert ear.wait(ear.frames() + RATE // 2, WAIT_S)
                heard = ear.samples()
                if likest := min(likeness(heard, sound) for sound in sounds) > 0.9:
                    break
            ear.close()
        finally:
            mouth.speaker.close()
    assert likest
    assert np.abs(heard).max() < 32767


def _again(alarm: Utterance, number: int) -> Utterance:
    return replace(alarm, id=f"{alarm.id}{number}")
