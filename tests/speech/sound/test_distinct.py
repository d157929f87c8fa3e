"""Every danger phrase, recorded from a real sound server, is taken for itself and for no other.

All phrases are rendered and compared with; of each language and rate a few are recorded, spread over
hazards and directions, two at a time, one on each side. `WATCHWORD_RECORDED=1` records them all, which takes
half as long as saying them: about eight minutes.
"""

from __future__ import annotations

import os
import queue
import threading
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from daemon.bench.loudspeaker import PrivatePulse
from pipeline.hazards import builtin_hazards
from pipeline.wording import danger_phrases, name_call
from speech.playback.base import AudioOutput, PlaybackFailed, PlaybackFinished, PlayerEvent
from speech.playback.player_worker import BEAT_S
from speech.playback.process_player import ProcessPlayer
from speech.settings import SpeechSettings
from speech.sound.audio import Audio
from speech.synthesis.espeak import EspeakSynthesizer
from speech.synthesis.renderer import Renderer
from speech.utterance import Priority
from tests.pipeline.description.vlm.made import cache as cache_folder
from tests.speech.listening import Picture, distances, log_mel
from tests.speech.made import needs_espeak, utterance

ROOT = Path(__file__).resolve().parents[3]
EVERY = int(os.environ.get("WATCHWORD_RECORDED", "29"))
"""Each so-manieth phrase is recorded; a number prime to directions and escalation meets them all."""
SHARE = 0.99
NAME_S = 0.51
"""Seconds of the longest name alone, the Korean one of a train."""
GAP_S = 0.1
TRIES = 50
"""Without a device a sound breaks at once."""
WAIT_S = 20.0
VOICES = 3
"""Engines that render at the same time: each spends much of it waiting for a process to start."""
# The faster the words, the more alike they sound: what is told apart here is so at ordinary speed.
KINDS = [(language, 300) for language in ("en", "ko")]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600 if EVERY < 20 else 180), needs_espeak]


@dataclass(frozen=True)
class Phrases:
    """All danger phrases of a language at a rate, as rendered."""

    texts: tuple[str, ...]
    sounds: tuple[Audio, ...]
    pictures: tuple[Picture, ...]


def danger_texts(language: str) -> tuple[str, ...]:
    """All hazards, directions and degrees, as they are prepared."""
    hazards = tomllib.loads((ROOT / "pipeline" / "hazards.toml").read_text(encoding="utf-8"))["hazards"]
    texts = (
        text
        for hazard in hazards.values()
        for text in danger_phrases(
            hazard[f"say_{language}"], language, hazard.get("call", {}).get(language, "")
        )
    )
    return tuple(dict.fromkeys(texts))


@cache
def phrases(language: str, rate: int) -> Phrases:
    """Rendered once, without the earcons that many share, and kept between runs as the daemon keeps them."""
    settings = SpeechSettings(danger_rate_wpm=rate)
    texts = danger_texts(language)

    def prepared(part: Sequence[str]) -> Renderer:
        with EspeakSynthesizer(settings) as voice:
            renderer = Renderer(settings, cache_folder() / "phrases", voice)
            renderer.prepare([(text, language, Priority.DANGER) for text in part])
        return renderer

    with ThreadPoolExecutor(VOICES) as pool:
        list(pool.map(prepared, [texts[first::VOICES] for first in range(VOICES)]))
    renderer = prepared(texts)
    sounds = tuple(renderer.render(utterance(text, language=language, earcon=None)) for text in texts)
    return Phrases(texts, sounds, tuple(map(log_mel, sounds)))


class Recorder:
    """Plays a sound and gives back what was heard of it."""

    def __init__(self, pulse: PrivatePulse) -> None:
        self._over: queue.SimpleQueue[PlayerEvent] = queue.SimpleQueue()
        self._ear = pulse.listen()
        self._player = ProcessPlayer(SpeechSettings(), self._tell)
        assert self._player.wait_opened(WAIT_S) == AudioOutput.LOUDSPEAKER
        assert self._ear.wait(1, WAIT_S)

    def heard(self, sounds: Sequence[Audio]) -> list[Audio]:
        """What was heard of one sound or two, one on the left, the other on the right, at the same time."""
        both = np.zeros((max(len(sound.samples) for sound in sounds), 2), np.int16)
        for side, sound in enumerate(sounds):
            both[: len(sound.samples), side] = sound.samples[:, 0]
        recorded = self._recorded(Audio(both, sounds[0].rate))
        return [Audio(recorded.samples[:, [side]], recorded.rate) for side in range(len(sounds))]

    def _recorded(self, sound: Audio) -> Audio:
        """Once more where a busy machine let the device stall: that it comes back is tested elsewhere.

        Blocks that came too late are known with the next beat of the sound process.
        """
        for _ in range(TRIES):
            begin, underruns = self._ear.frames(), self._player.underruns
            self._player.play("phrase", sound)
            if not isinstance(self._over.get(timeout=WAIT_S), PlaybackFinished):
                threading.Event().wait(GAP_S)
                continue
            margin = round((GAP_S + self._player.latency_s + 2 * BEAT_S) * self._ear.rate)
            assert self._ear.wait(self._ear.frames() + margin, WAIT_S)
            if self._player.underruns == underruns:
                return Audio(self._ear.samples()[begin:], self._ear.rate)
        pytest.fail("the loudspeaker broke again and again")

    def close(self) -> None:
        self._player.close()
        self._ear.close()

    def _tell(self, event: PlayerEvent) -> None:
        if isinstance(event, PlaybackFinished | PlaybackFailed):
            self._over.put(event)


@pytest.fixture
def recorder(pulse: PrivatePulse) -> Iterator[Recorder]:
    made = Recorder(pulse)
    yield made
    made.close()


@pytest.mark.parametrize(("language", "rate"), KINDS)
def test_what_is_recorded_is_nearest_to_its_own_render(recorder: Recorder, language: str, rate: int) -> None:
    known = phrases(language, rate)
    chosen = range(0, len(known.texts), EVERY)
    mistaken, own, other = [], [], []
    pairs = [chosen[first : first + 2] for first in range(0, len(chosen), 2)]
    heard = [one for pair in pairs for one in recorder.heard([known.sounds[number] for number in pair])]
    for number, sound in zip(chosen, heard, strict=True):
        far = distances(log_mel(sound), known.pictures)
        nearest = int(far.argmin())
        if nearest != number:
            mistaken.append(f"{known.texts[number]} -> {known.texts[nearest]}")
        own.append(far[number])
        other.append(np.delete(far, number).min())
    print(  # noqa: T201 -- the figure is what the test is for
        f"\n{language} {rate} words a minute: {len(chosen)} of {len(known.texts)} recorded, {len(mistaken)} "
        f"mistaken; to its own render at most {max(own):.2f} dB, to the next phrase at least {min(other):.2f}"
    )
    assert len(mistaken) <= (1 - SHARE) * len(chosen), mistaken


@pytest.mark.parametrize("language", ["en", "ko"])
def test_what_is_said_fast_is_nearest_to_the_same_said_slowly(language: str) -> None:
    slow, fast = phrases(language, 180), phrases(language, 300)
    chosen = range(0, len(fast.texts), 13 if EVERY > 1 else 1)
    found = [int(distances(fast.pictures[number], slow.pictures).argmin()) for number in chosen]
    mistaken = [f"{fast.texts[a]} -> {slow.texts[b]}" for a, b in zip(chosen, found, strict=True) if a != b]
    assert len(mistaken) <= (1 - SHARE) * len(chosen), mistaken


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_names_of_critical_dangers_are_said_in_half_a_second(language: str) -> None:
    """Of several at once the next one waits for them."""
    known = phrases(language, SpeechSettings().danger_rate_wpm)
    names = [
        name_call(getattr(one, f"say_{language}"), one.call.get(language, ""))
        for one in builtin_hazards().values()
        if one.severity == "critical"
    ]
    lasts_s = {name: known.sounds[known.texts.index(name)].duration_s for name in names}
    assert {name: lasts for name, lasts in lasts_s.items() if lasts > NAME_S} == {}


def test_the_ear_tells_sounds_apart_that_differ_and_not_those_that_are_only_slower() -> None:
    def glide(seconds: float, hertz: float, level: float = 8000) -> Audio:
        count = round(seconds * 22050)
        phase = np.cumsum(np.linspace(300, hertz, count)) * 2 * np.pi / 22050
        return Audio(np.round(level * np.sin(phase)).astype(np.int16)[:, None], 22050)

    known = [log_mel(glide(0.5, hertz)) for hertz in (600, 1200, 2400)]
    for number, hertz in enumerate((600, 1200, 2400)):
        assert distances(log_mel(glide(0.5, hertz)), known)[number] == pytest.approx(0, abs=0.01)
        assert int(distances(log_mel(glide(0.8, hertz, 2000)), known).argmin()) == number
