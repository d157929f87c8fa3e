"""The live player on a real sound server, heard by a real ear."""

from __future__ import annotations

import os
import queue
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from common.own_process import FIRST_NICE
from daemon.bench.loudspeaker import PrivatePulse, SinkRecorder
from speech.outbox.messages import PlaybackBegan, PlaybackEnded, SpeechFailed
from speech.playback.base import (
    AudioOutput,
    AudioOutputChanged,
    PlaybackFailed,
    PlaybackFinished,
    PlaybackStarted,
    PlayerEvent,
)
from speech.playback.process_player import ProcessPlayer, output_settings
from speech.playback.sounddevice_player import SounddevicePlayer
from speech.playback.speaker import Speaker
from speech.settings import SpeechSettings
from speech.sound.audio import Audio
from speech.synthesis.espeak import EspeakSynthesizer
from speech.synthesis.renderer import Renderer
from speech.utterance import Priority
from tests.speech.made import needs_espeak, utterance

pytestmark = pytest.mark.slow
REPEATS = int(os.environ.get("WATCHWORD_REPEATS", "15"))
"""How often a danger interrupts a description."""
RATE = 22050
SETTINGS = SpeechSettings()
NO_DEVICE = output_settings(SpeechSettings(device="no such loudspeaker"))
WAIT_S = 15.0
ATTEMPTS = 3
"""Recordings of which one must be whole: a machine that stalls tears holes into any."""


class Told:
    """Events of a player, to be waited for."""

    def __init__(self) -> None:
        self._events: queue.Queue[object] = queue.Queue()
        self.all: list[object] = []

    def __call__(self, event: object) -> None:
        self._events.put(event)

    def until(self, kind: type, id: str | None = None, outlet: AudioOutput | None = None) -> object:
        """The next event of that kind (and id, and outlet); fails after a while."""
        while True:
            event = self._events.get(timeout=WAIT_S)
            self.all.append(event)
            if not isinstance(event, kind) or id not in {None, getattr(event, "id", None)}:
                continue
            if outlet in {None, getattr(event, "output", None)}:
                return event


def tone(hertz: float, seconds: float, side: int) -> Audio:
    count = round(seconds * RATE)
    samples = np.zeros((count, 2), np.int16)
    samples[:, side] = np.round(8000 * np.sin(2 * np.pi * hertz * np.arange(count) / RATE))
    return Audio(samples, RATE)


def listen_to(pulse: PrivatePulse) -> SinkRecorder:
    """An ear that hears already."""
    ear = pulse.listen()
    assert ear.wait(RATE // 10, WAIT_S)
    return ear


def starts(loud: NDArray[np.bool_], gap: int = RATE // 4) -> NDArray[np.intp]:
    """Where sound begins after at least `gap` frames without."""
    at = np.flatnonzero(loud)
    return at[np.diff(at, prepend=-gap - 1) > gap]


def loudness(samples: NDArray[np.int16]) -> NDArray[np.float64]:
    """Root mean square of each side."""
    return np.asarray(np.sqrt(np.mean(samples.astype(np.float64) ** 2, axis=0)))


def likeness(heard: NDArray[np.int16], phrase: NDArray[np.int16]) -> float:
    """Largest normalised correlation of a phrase with what was heard, both as mono; 1 if it is in there."""
    x, y = (samples.astype(np.float64).sum(axis=1) for samples in (heard, phrase))
    size = 1 << (len(x) + len(y)).bit_length()
    product = np.fft.irfft(np.fft.rfft(x, size) * np.conj(np.fft.rfft(y, size)), size)[: len(x) - len(y) + 1]
    power = np.concatenate([[0.0], np.cumsum(x**2)])
    window = power[len(y) :] - power[: len(power) - len(y)]
    return float(np.max(product / np.sqrt(np.maximum(window, 1.0) * np.sum(y**2))))


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def player(pulse: PrivatePulse, told: Told) -> Iterator[ProcessPlayer]:
    made = ProcessPlayer(SETTINGS, told)
    told.until(AudioOutputChanged, outlet=AudioOutput.LOUDSPEAKER)
    yield made
    made.close()


@pytest.mark.timeout(max(120, 2 * REPEATS))
def test_danger_cuts_again_and_again_without_a_loss_or_a_click(
    pulse: PrivatePulse, player: ProcessPlayer, told: Told
) -> None:
    """Left a long tone, right the alarm that cuts it.

    The stated limit on steps between samples: those of the sounds themselves (both may overlap for 5 ms)
    and that of the fade. On a busy machine the device, the sound server or the recorder may drop samples
    now and then, which steps too; a fault in our fades would do so at every turn.
    """
    ear = listen_to(pulse)
    for turn in range(REPEATS):
        player.play(f"text{turn}", tone(440, 3.0, 0))
        told.until(PlaybackStarted, f"text{turn}")
        threading.Event().wait(0.15 + 0.013 * (turn % 7))
        player.cut(f"text{turn}")
        player.play(f"alarm{turn}", tone(880, 0.15, 1))
        told.until(PlaybackFinished, f"alarm{turn}")
        threading.Event().wait(0.27)
    assert ear.wait(ear.frames() + RATE // 2, WAIT_S)
    heard = ear.samples().astype(int)
    ear.close()
    began = [event.id for event in told.all if isinstance(event, PlaybackStarted)]
    assert began == [f"{name}{turn}" for turn in range(REPEATS) for name in ("text", "alarm")]
    assert len(starts(heard[:, 1] != 0)) == REPEATS
    own_step, fade_step = 8000 * 2 * np.pi * 880 / RATE, 8000 * np.pi / 2 / (0.005 * RATE)
    clicks = int((np.abs(np.diff(heard, axis=0)) > own_step + fade_step + 2).any(axis=1).sum())
    assert clicks <= REPEATS // 10 + 4 * player.underruns


@needs_espeak
def test_a_spoken_danger_cuts_a_spoken_description_on_the_right_side(
    pulse: PrivatePulse, told: Told, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    text = "A wide street with many parked cars, a man on a bicycle, and two shops with open doors."
    with EspeakSynthesizer(SETTINGS) as voice:
        renderer = Renderer(SETTINGS, tmp_path, voice)
        alarms = [utterance(word, id=f"d{n}", pan=n - 1.0) for n, word in enumerate(["Knife", "Fire", "Dog"])]
        renderer.prepare([(alarm.text, "en", Priority.DANGER) for alarm in alarms])
        request.addfinalizer(lambda: speaker.close())
        speaker = Speaker(
            renderer, lambda tell: ProcessPlayer(SETTINGS, tell), lambda event, _: told(event), told
        )
        told.until(AudioOutputChanged, outlet=AudioOutput.LOUDSPEAKER)
        ear = listen_to(pulse)
        for alarm in alarms:
            for attempt in range(ATTEMPTS):
                again = replace(alarm, id=f"{alarm.id}.{attempt}")
                description = utterance(text, id=f"t-{again.id}", priority=Priority.TEXT, earcon=None)
                speaker.start(description)
                told.until(PlaybackBegan, description.id)
                threading.Event().wait(0.7)
                speaker.cut(description.id)
                speaker.start(again)
                told.until(PlaybackBegan, again.id)
                from_frame = ear.frames()
                told.until(PlaybackEnded, again.id)
                assert ear.wait(ear.frames() + RATE // 4, WAIT_S)
                heard = ear.samples()[from_frame:]
                like = likeness(heard, renderer.render(alarm).samples)
                if like > 0.9:
                    break
            assert like > 0.9, f"{ATTEMPTS} recordings, and none is whole"
            left, right = loudness(heard)
            assert (left > 2 * right, right > 2 * left) == (alarm.pan < 0, alarm.pan > 0)
        ear.close()


def test_the_voice_comes_back_after_the_sound_server_died(
    pulse: PrivatePulse, player: ProcessPlayer, told: Told
) -> None:
    player.play("before", tone(440, 5.0, 0))
    told.until(PlaybackStarted, "before")
    pulse.kill()
    lost = told.until(AudioOutputChanged, outlet=AudioOutput.NOWHERE)
    assert isinstance(lost, AudioOutputChanged)
    assert "went away" in lost.reason
    assert told.until(PlaybackFailed, "before") == PlaybackFailed("before", lost.reason)
    player.play("meanwhile", tone(440, 0.2, 0))
    told.until(PlaybackFailed, "meanwhile")
    pulse.start()
    told.until(AudioOutputChanged, outlet=AudioOutput.LOUDSPEAKER)
    ear = listen_to(pulse)
    player.play("after", tone(440, 0.5, 1))
    told.until(PlaybackFinished, "after")
    assert ear.wait(ear.frames() + RATE // 2, WAIT_S)
    assert len(starts(ear.samples()[:, 1] != 0)) == 1
    ear.close()
    assert player.losses == 1
    assert player.alive


def test_a_dead_sound_process_is_replaced(player: ProcessPlayer, told: Told) -> None:
    player.play("before", tone(440, 5.0, 0))
    told.until(PlaybackStarted, "before")
    assert player.pid is not None
    os.kill(player.pid, signal.SIGKILL)
    lost = told.until(AudioOutputChanged, outlet=AudioOutput.NOWHERE)
    assert isinstance(lost, AudioOutputChanged)
    assert told.until(PlaybackFailed, "before") == PlaybackFailed("before", lost.reason)
    told.until(AudioOutputChanged, outlet=AudioOutput.LOUDSPEAKER)
    player.play("after", tone(440, 0.2, 1))
    told.until(PlaybackFinished, "after")
    assert (player.restarts, player.losses, player.alive) == (1, 1, True)


def test_the_sound_process_goes_before_others_where_it_may(player: ProcessPlayer) -> None:
    """Between sessions, too: on a busy machine that is the difference between no underruns and dozens."""
    group = Path(f"/proc/{player.pid}/autogroup")
    if os.geteuid() != 0 or not group.exists():
        pytest.skip("only root may, and only a kernel with autogroups has them")
    assert player.pid is not None
    assert os.getpriority(os.PRIO_PROCESS, player.pid) == FIRST_NICE
    assert group.read_text(encoding="ascii").split()[-1] == str(FIRST_NICE)


def test_a_hanging_sound_process_is_replaced(player: ProcessPlayer, told: Told) -> None:
    assert player.pid is not None
    os.kill(player.pid, signal.SIGSTOP)
    for turn in range(40):  # far more than a pipe holds: no call waits for the one that hangs
        player.play(f"unheard{turn}", tone(440, 5.0, 0))
    lost = told.until(AudioOutputChanged, outlet=AudioOutput.NOWHERE)
    assert isinstance(lost, AudioOutputChanged)
    assert "hangs" in lost.reason
    told.until(AudioOutputChanged, outlet=AudioOutput.LOUDSPEAKER)
    # The last one goes to the new process; the others have been replaced by it.
    told.until(PlaybackStarted, "unheard39")
    assert not [event for event in told.all if isinstance(event, PlaybackFailed)]
    player.play("after", tone(440, 0.2, 1))
    told.until(PlaybackFinished, "after")


def test_what_was_not_heard_yet_is_given_to_the_next_sound_process(
    pulse: PrivatePulse, player: ProcessPlayer, told: Told
) -> None:
    ear = listen_to(pulse)
    assert player.pid is not None
    os.kill(player.pid, signal.SIGSTOP)
    player.play("word", tone(440, 0.3, 1), more=True)
    os.kill(player.pid, signal.SIGKILL)
    told.until(AudioOutputChanged, outlet=AudioOutput.NOWHERE)
    player.append("word", tone(440, 0.3, 1))
    told.until(PlaybackStarted, "word")
    told.until(PlaybackFinished, "word")
    assert ear.wait(ear.frames() + RATE // 2, 10)
    heard = np.flatnonzero(ear.samples()[:, 1])
    assert heard[-1] - heard[0] > 0.5 * RATE, "both parts"
    ear.close()
    assert not [event for event in told.all if isinstance(event, PlaybackFailed)]


def test_a_sound_that_ends_each_process_is_given_up_after_the_second(told: Told) -> None:
    player = ProcessPlayer(SETTINGS, told, module="tests.speech.playback.dying_player")
    assert player.wait_started(WAIT_S)
    player.play("deadly", tone(440, 0.3, 1))
    told.until(PlaybackFailed, "deadly")
    assert player.restarts == 2
    player.close()


def test_a_sound_process_that_cannot_start_is_told_and_tried_again(told: Told) -> None:
    player = ProcessPlayer(SETTINGS, told, module="speech.no_such_module")
    changed = told.until(AudioOutputChanged)
    assert isinstance(changed, AudioOutputChanged)
    assert changed.output == AudioOutput.NOWHERE
    player.play("a", tone(440, 0.2, 0))
    assert told.until(PlaybackFailed, "a") == PlaybackFailed("a", changed.reason)
    assert player.alive
    player.close()


def test_what_the_sound_process_says_of_its_device_arrives(told: Told, tmp_path: Path) -> None:
    settings, path = SpeechSettings(device="no such loudspeaker"), tmp_path / "said.wav"
    player = ProcessPlayer(settings, told, fallback=path)
    assert player.wait_opened(WAIT_S) == AudioOutput.FILE
    player.play("a", tone(440, 0.2, 0))
    told.until(PlaybackFinished, "a")
    player.close()
    assert len(path.read_bytes()) >= 44 + 4 * 0.19 * RATE


def test_without_a_device_everything_is_told_broken_and_why(told: Told) -> None:
    player = SounddevicePlayer(NO_DEVICE, told)
    changed = told.until(AudioOutputChanged)
    assert isinstance(changed, AudioOutputChanged)
    assert changed.output == AudioOutput.NOWHERE
    assert "python -m sounddevice" in changed.reason
    player.play("a", tone(440, 1.0, 0))
    assert told.until(PlaybackFailed, "a") == PlaybackFailed("a", changed.reason)
    player.close()


def test_without_a_device_sound_goes_into_a_file_at_its_own_pace(told: Told, tmp_path: Path) -> None:
    path = tmp_path / "said" / "watchword.wav"
    player = SounddevicePlayer(NO_DEVICE, told, fallback=path)
    changed = told.until(AudioOutputChanged, outlet=AudioOutput.FILE)
    assert isinstance(changed, AudioOutputChanged)
    assert str(path) in changed.reason
    player.play("a", tone(440, 0.3, 1))
    began, ended = told.until(PlaybackStarted, "a"), told.until(PlaybackFinished, "a")
    assert isinstance(began, PlaybackStarted)
    assert isinstance(ended, PlaybackFinished)
    assert abs(ended.at_s - began.at_s - 0.3) < 0.02
    player.close()
    assert len(path.read_bytes()) > 44 + 4 * 0.3 * RATE


def test_a_file_that_cannot_be_written_is_told_too(told: Told) -> None:
    player = SounddevicePlayer(NO_DEVICE, told, fallback=Path("/proc/nope/watchword.wav"))
    changed = told.until(AudioOutputChanged, outlet=AudioOutput.NOWHERE)
    assert isinstance(changed, AudioOutputChanged)
    assert "cannot be written" in changed.reason
    player.play("a", tone(440, 0.1, 0))
    told.until(PlaybackFailed, "a")
    player.close()


def test_a_slow_listener_delays_no_sound(pulse: PrivatePulse) -> None:
    told, gate = Told(), threading.Event()

    def slow(event: PlayerEvent) -> None:
        told(event)
        gate.wait(WAIT_S)

    player = SounddevicePlayer(output_settings(SETTINGS), slow)
    told.until(AudioOutputChanged)
    ear = listen_to(pulse)
    player.play("a", tone(440, 0.2, 0))
    heard_at = ear.frames()
    for _ in range(40):
        assert ear.wait(heard_at + RATE // 4, WAIT_S)
        heard_at = ear.frames()
        if ear.samples().any():
            break
    assert ear.samples().any()
    gate.set()
    told.until(PlaybackFinished, "a")
    player.close()
    ear.close()


def test_closing_is_prompt_and_twice_is_fine(pulse: PrivatePulse, told: Told) -> None:
    player = SounddevicePlayer(output_settings(SETTINGS), told)
    told.until(AudioOutputChanged, outlet=AudioOutput.LOUDSPEAKER)
    player.play("a", tone(440, 5.0, 0))
    told.until(PlaybackStarted, "a")
    player.close()
    player.close()
    assert not any(thread.name.startswith("player-") for thread in threading.enumerate())


def test_failed_is_what_the_speaker_reports_of_a_lost_device(told: Told) -> None:
    class NoVoice:
        name = "none"

        def stream(self, request: object) -> Iterator[Audio]:
            return iter(())

        def close(self) -> None: ...

    renderer = Renderer(SETTINGS, None, NoVoice())
    speaker = Speaker(
        renderer,
        lambda tell: SounddevicePlayer(NO_DEVICE, tell),
        lambda event, _: told(event),
        told,
    )
    told.until(AudioOutputChanged)
    speaker.start(utterance())
    told.until(SpeechFailed, "a1")
    speaker.close()
