"""How soon a danger is heard, measured with a recorder at a null sink of a private PulseAudio.

Every round a tone sounds on the left while a prepared danger is started on the right. Heard times are those
of the recording, so they contain our own buffers, the sound server's and the recorder's: upper bounds of
the latency added to the sink's own.
"""

from __future__ import annotations

import os
import queue
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from daemon.bench.harness import Figure, at_most, unmeasured
from daemon.bench.loudspeaker import PrivatePulse, SinkRecorder, available
from daemon.config.settings import Settings
from daemon.wiring.store import open_store
from pipeline.store.errors import StoreError
from speech.outbox.messages import PlaybackBegan, PlaybackEnded, SpeechFailed
from speech.playback.base import AudioOutput
from speech.playback.process_player import ProcessPlayer
from speech.playback.speaker import Speaker
from speech.settings import SpeechSettings
from speech.sound.audio import Audio
from speech.synthesis.base import SpeechRequest, SynthesisError, Synthesizer
from speech.synthesis.espeak import EspeakSynthesizer
from speech.synthesis.piper import PiperSynthesizer
from speech.synthesis.renderer import Renderer
from speech.synthesis.with_deadline import DeadlineSynthesizer, voice_folder
from speech.utterance import Priority, Utterance

FIRST = "speech.call_to_first_sample_ms_p95"
OVER_SINK = "speech.call_over_sink_ms_p95"
INTERRUPT = "speech.interrupt_ms_p95"
LIMIT = at_most(60)
WAIT_S = 15.0
LEAD_S = 0.4
"""How long the tone sounds before it is interrupted; varied a little, so that no block edge is favoured."""
ROUNDS_A_SAMPLE = 2


@dataclass(frozen=True, slots=True)
class _Round:
    """One interruption, in seconds from the call."""

    call_s: float
    first_heard_s: float
    old_silent_s: float
    sink_s: float
    """The latency from a block to its sound, as the device reports it."""


SENTENCE = "A man walks past shop number {number}, and a bicycle is parked."


def measure(settings: Settings, samples: int) -> Iterator[Figure]:
    """Times to an alert's first sample and to the interrupted sound's silence, and the cost of calls."""
    if not available():
        why = "needs Debian's packages pulseaudio and libasound2-plugins"
        yield from (unmeasured(name, "ms", LIMIT, why) for name in (FIRST, INTERRUPT))
        return
    try:
        yield from _measure(settings.speech, open_store(settings).path, samples * ROUNDS_A_SAMPLE)
    except SynthesisError as error:
        yield from (unmeasured(name, "ms", LIMIT, str(error)) for name in (FIRST, INTERRUPT))


def _measure(wanted: SpeechSettings, locate: Callable[[str], Path], rounds: int) -> Iterator[Figure]:
    # Panned fully, so that alarm and tone are alone on their sides; the default device is the private server.
    settings = wanted.model_copy(update={"device": "default", "pan_width": 1.0, "volume": 1.0})
    with (
        tempfile.TemporaryDirectory() as folder,
        _sound_server(Path(folder), settings) as pulse,
        EspeakSynthesizer(settings) as voice,
    ):
        renderer = Renderer(settings, None, voice)
        yield from _synthesis("espeak", voice, rounds)
        yield from _piper(settings, locate, voice, rounds)
        yield from _interruptions(settings, renderer, pulse, rounds)


def _piper(
    settings: SpeechSettings, locate: Callable[[str], Path], quick: Synthesizer, rounds: int
) -> Iterator[Figure]:
    """The same for Piper, where it and its voice are installed, and how often it is in time."""
    voice = None
    try:
        voice = PiperSynthesizer(settings, voice_folder(settings, locate))
        voice.load()
        # Fewer rounds: Piper takes longer, and its times vary less.
        yield from _synthesis("piper", voice, min(rounds, 30))
        yield _in_time(voice, quick, settings.late_ms, min(rounds, 30))
    except (SynthesisError, StoreError) as error:
        yield unmeasured("speech.piper_real_time_factor", "x", None, str(error))
    finally:
        if voice is not None:
            voice.close()


def _in_time(voice: PiperSynthesizer, quick: Synthesizer, late_ms: int, rounds: int) -> Figure:
    """Share of texts that espeak-ng did not have to say, or to finish."""
    natural = DeadlineSynthesizer(voice, quick, late_ms / 1e3)
    for number in range(rounds):
        # A generator: only reading it to the end has all of it spoken.
        for _ in natural.stream(SpeechRequest(f"{SENTENCE.format(number=number)} Two shops are open.", "en")):
            pass
    share = 1 - natural.fallbacks / rounds
    natural.close()
    note = f"within speech.late_ms = {late_ms}"
    return Figure("speech.piper_in_time_share", share, "", samples=rounds, note=note)


def _synthesis(engine: str, voice: Synthesizer, rounds: int) -> Iterator[Figure]:
    """Text that is not prepared: until its first chunk is there, and seconds of work a second of sound."""
    first_ms, factors = [], []
    for number in range(rounds):
        request = SpeechRequest(f"{SENTENCE.format(number=number)} Two shops are open.", "en")
        start_s = time.monotonic()
        chunks = voice.stream(request)
        # The rest only after the clock has been read.
        sound = [next(chunks)]
        first_ms.append((time.monotonic() - start_s) * 1e3)
        sound += chunks
        factors.append((time.monotonic() - start_s) / sum(chunk.duration_s for chunk in sound))
    yield Figure.p95(f"speech.{engine}_text_to_first_chunk_ms_p95", first_ms, "ms")
    yield Figure.median(f"speech.{engine}_real_time_factor", factors, "x")


def _interruptions(
    settings: SpeechSettings, renderer: Renderer, pulse: PrivatePulse, rounds: int
) -> Iterator[Figure]:
    alarm = _utterance("Fire ahead", Priority.DANGER)
    renderer.prepare([(alarm.text, alarm.language, alarm.priority)])
    # Rendered once, so that the rounds measure prepared sound.
    renderer.render(alarm)
    reports: queue.SimpleQueue[PlaybackBegan | PlaybackEnded | SpeechFailed] = queue.SimpleQueue()
    speaker = Speaker(
        renderer,
        lambda on_event: ProcessPlayer(settings, on_event),
        lambda report, _: reports.put(report),
        lambda _: None,
    )
    player = speaker.player
    assert isinstance(player, ProcessPlayer)
    if player.wait_opened(WAIT_S) != AudioOutput.LOUDSPEAKER:
        raise SynthesisError("the private sound server could not be opened")
    ear = pulse.listen()
    try:
        # Until the recorder has heard two seconds of silence: its clock is then settled.
        ear.wait(2 * ear.rate, WAIT_S)
        measured = [_interrupt(speaker, alarm, ear, reports, number) for number in range(rounds)]
    finally:
        speaker.close()
        ear.close()
    heard = [each for each in measured if each is not None]
    note = f"{player.underruns} underruns; sound server and recorder included"
    first_ms = [1e3 * each.first_heard_s for each in heard]
    yield Figure.median("speech.call_to_first_sample_ms_p50", first_ms, "ms")
    yield Figure.p95(FIRST, first_ms, "ms", LIMIT, note)
    yield Figure.p99("speech.call_to_first_sample_ms_p99", first_ms, "ms")
    over_ms = [1e3 * (each.first_heard_s - each.sink_s) for each in heard]
    yield Figure.p95(OVER_SINK, over_ms, "ms", LIMIT, "less what the device says it takes itself")
    yield Figure.p95(INTERRUPT, [1e3 * each.old_silent_s for each in heard], "ms", LIMIT)
    yield Figure.p95("speech.call_us_p95", [1e6 * each.call_s for each in heard], "us")
    yield Figure("speech.interruptions_lost", len(measured) - len(heard), "", at_most(0), len(measured))


def _interrupt(
    speaker: Speaker[ProcessPlayer],
    alarm: Utterance,
    ear: SinkRecorder,
    reports: queue.SimpleQueue[PlaybackBegan | PlaybackEnded | SpeechFailed],
    number: int,
) -> _Round | None:
    """One round; None if the danger was not heard."""
    before = ear.frames()
    speaker.player.play(f"tone{number}", _tone(ear.rate))
    # Not a multiple of a block: every phase of the device's blocks is met.
    time.sleep(LEAD_S + 0.0017 * (number % 11))
    sink_s = _latency_s(speaker)
    called_at_s = time.monotonic()
    speaker.start(alarm)
    call_s = time.monotonic() - called_at_s
    try:
        while not isinstance(reports.get(timeout=WAIT_S), PlaybackEnded):
            pass
    except queue.Empty:
        return None
    # A quarter of a second more: the recorder lags behind.
    ear.wait(ear.frames() + ear.rate // 4, WAIT_S)
    heard = ear.samples()[before:]
    # Samples other than zero: a null sink adds no noise.
    left, right = (np.flatnonzero(heard[:, side]) for side in (0, 1))
    if not left.size or not right.size:
        return None
    first_s = ear.time_of(before + int(right[0])) - called_at_s
    silent_s = ear.time_of(before + int(left[-1])) - called_at_s
    return _Round(call_s, first_s, silent_s, sink_s)


def _latency_s(speaker: Speaker[ProcessPlayer]) -> float:
    player = speaker.player
    assert isinstance(player, ProcessPlayer)
    return player.latency_s


@contextmanager
def private_speaker(
    settings: SpeechSettings,
    report: Callable[[PlaybackBegan | PlaybackEnded | SpeechFailed, float], None],
    phrases: Iterable[str],
) -> Iterator[Speaker[ProcessPlayer]]:
    """A speaker at a private sound server's null sink, with these danger phrases prepared."""
    with (
        tempfile.TemporaryDirectory() as folder,
        _sound_server(Path(folder), settings),
        EspeakSynthesizer(settings) as voice,
    ):
        renderer = Renderer(settings, None, voice)
        renderer.prepare([(text, settings.language, Priority.DANGER) for text in phrases])
        speaker = Speaker(
            renderer, lambda on_event: ProcessPlayer(settings, on_event), report, lambda _: None
        )
        try:
            player = speaker.player
            assert isinstance(player, ProcessPlayer)
            if player.wait_opened(WAIT_S) != AudioOutput.LOUDSPEAKER:
                raise SynthesisError("the private sound server could not be opened")
            yield speaker
        finally:
            speaker.close()


@contextmanager
def _sound_server(folder: Path, settings: SpeechSettings) -> Iterator[PrivatePulse]:
    """A private PulseAudio that this process takes for its loudspeaker."""
    pulse = PrivatePulse(folder, settings.sample_rate)
    old = os.environ.get("ALSA_CONFIG_PATH")
    # ALSA reads it when a device is opened, in this process and its children.
    os.environ["ALSA_CONFIG_PATH"] = str(pulse.alsa_config)
    try:
        pulse.start()
        yield pulse
    finally:
        pulse.kill()
        del os.environ["ALSA_CONFIG_PATH"]
        if old is not None:
            os.environ["ALSA_CONFIG_PATH"] = old


def _tone(rate: int) -> Audio:
    """Five seconds on the left."""
    samples = np.zeros((5 * rate, 2), np.int16)
    samples[:, 0] = np.round(8000 * np.sin(2 * np.pi * 440 * np.arange(5 * rate) / rate))
    return Audio(samples, rate)


def _utterance(text: str, priority: Priority) -> Utterance:
    return Utterance(
        id="bench",
        cause=None,
        text=text,
        language="en",
        priority=priority,
        key="bench",
        created_at_s=0.0,
        captured_at_s=0.0,
        expires_at_s=float("inf"),
        severity=3,
        earcon="critical" if priority == Priority.DANGER else None,
        pan=1.0,
    )
