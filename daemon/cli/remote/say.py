"""`watchword say TEXT`: the running daemon speaks; without one, or into a file, this process does.

`--earcons` plays the short sounds instead, each with its meaning.
"""

from __future__ import annotations

import argparse
import logging
import queue
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.cli.remote import connection
from daemon.cli.remote.connection import Load, send
from daemon.control.client import NotRunning
from daemon.control.commands import EarconsCommand, SayCommand
from daemon.control.protocol import checked
from daemon.errors import CommandError, UsageError

if TYPE_CHECKING:
    from daemon.config.settings import Settings
    from speech.playback.base import PlayerEvent
    from speech.sound.audio import Audio
    from speech.utterance import Utterance

SPARE_S = 10.0
"""Seconds the loudspeaker may take longer than the sound lasts."""
TAIL_S = 0.1
"""Seconds that a sound server may lag behind the time it states."""
OPEN_S = 5.0
ID = "say"
GAP_S = 0.6
"""Seconds between two earcons."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", nargs="*", metavar="TEXT", help="what to say")
    parser.add_argument("--earcons", action="store_true", help="play each short sound and say what it means")
    parser.add_argument("--language", choices=("en", "ko"), help="of the text; the settings' own by default")
    parser.add_argument("--wav", type=Path, metavar="FILE", help="into this file, not aloud")
    connection.configure(parser)


def execute(args: argparse.Namespace, load: Load) -> int:
    """Raises UsageError, CommandError, SynthesisError, PlayerError."""
    # Both or neither.
    if args.earcons == bool(args.text):
        raise UsageError("say either TEXT or --earcons")
    say = (
        EarconsCommand()
        if args.earcons
        else checked(SayCommand, text=" ".join(args.text), language=args.language)
    )
    if args.wav:
        settings = load().settings
        write(_utterances(say, settings.speech.language), settings, args.wav)
        return 0
    try:
        send(args, load, say)
    except NotRunning:
        # A named daemon was meant to speak, with its own voice and device.
        if args.instance:
            raise
        settings = load().settings
        with _quiet_player():
            speak(_utterances(say, settings.speech.language), settings)
    return 0


@contextmanager
def _quiet_player() -> Iterator[None]:
    """Silence the player's log: this command reports in one line, except with debug logging."""
    player = logging.getLogger("speech")
    before = player.level
    if not player.isEnabledFor(logging.DEBUG):
        player.setLevel(logging.ERROR)
    try:
        yield
    finally:
        player.setLevel(before)


def write(utterances: Iterable[Utterance], settings: Settings, path: Path) -> None:
    """Write the speech into a file. Raises SynthesisError, PlayerError."""
    from speech.playback.wav_timeline import WavTimeline

    audio = _rendered(utterances, settings)
    timeline = WavTimeline(path, audio.rate)
    timeline.place(audio, 0.0)
    timeline.close(audio.duration_s)
    sys.stdout.write(f"{audio.duration_s:.2f} s in {path}\n")


def speak(utterances: Iterable[Utterance], settings: Settings) -> None:
    """Speak through the loudspeaker, without a daemon. Raises CommandError, SynthesisError, PlayerError."""
    from speech.playback.base import AudioOutput, AudioOutputChanged, PlaybackFinished, PlaybackStarted
    from speech.playback.process_player import ProcessPlayer

    audio = _rendered(utterances, settings)
    events: queue.SimpleQueue[PlayerEvent] = queue.SimpleQueue()
    player = ProcessPlayer(settings.speech, events.put)
    try:
        if player.wait_opened(OPEN_S) is not AudioOutput.LOUDSPEAKER:
            raise CommandError(_why_not(events))
        player.play(ID, audio)
        # With a timeout for each event: a loudspeaker that hangs must not hang the command.
        while not isinstance(event := _next(events, audio.duration_s + SPARE_S), PlaybackFinished):
            if not isinstance(event, (PlaybackStarted, AudioOutputChanged)):
                raise CommandError(f"not said to its end: {event.reason}")
        # It is finished for the player once its last sample is handed over; the device still plays it.
        time.sleep(min(max(event.at_s - time.monotonic(), 0.0), SPARE_S) + TAIL_S)
    finally:
        player.close()


def _next(events: queue.SimpleQueue[PlayerEvent], timeout_s: float) -> PlayerEvent:
    try:
        return events.get(timeout=timeout_s)
    except queue.Empty:
        raise CommandError("the loudspeaker takes no sound; `watchword check` tells more") from None


def _why_not(events: queue.SimpleQueue[PlayerEvent]) -> str:
    from speech.playback.base import AudioOutputChanged

    event = _next(events, OPEN_S)
    reason = event.reason if isinstance(event, AudioOutputChanged) else "it does not open"
    return f"no loudspeaker ({reason}); --wav FILE writes what would be said"


def _rendered(utterances: Iterable[Utterance], settings: Settings) -> Audio:
    from speech.sound.effects import joined, silence
    from speech.synthesis.espeak import EspeakSynthesizer
    from speech.synthesis.renderer import Renderer

    with EspeakSynthesizer(settings.speech) as synthesizer:
        # Without a cache: these texts are said once.
        renderer = Renderer(settings.speech, None, synthesizer)
        sounds = [renderer.render(one) for one in utterances]
    gap = silence(GAP_S, renderer.rate, 2)
    # Stereo, because a tour places its sounds left and right.
    return joined([sounds[0], *(part for sound in sounds[1:] for part in (gap, sound))], renderer.rate, 2)


def _utterances(say: SayCommand | EarconsCommand, language: str) -> Iterator[Utterance]:
    pieces = _lesson(language) if isinstance(say, EarconsCommand) else ((None, say.text),)
    spoken = (say.language if isinstance(say, SayCommand) else None) or language
    for earcon, text in pieces:
        yield utterance(text, spoken, earcon)


def utterance(
    text: str, language: str, earcon: str | None = None, *, pan: float = 0.0, danger: bool = False
) -> Utterance:
    """An utterance of this process. `pan`: -1 left to 1 right. `danger`: with the priority of a danger."""
    from speech.utterance import Priority, Utterance

    return Utterance(
        id=ID,
        cause=None,
        text=text,
        language=language,
        priority=Priority.DANGER if danger else Priority.MESSAGE,
        key=ID,
        created_at_s=0.0,
        captured_at_s=0.0,
        expires_at_s=0.0,
        earcon=earcon,
        pan=pan,
    )


def _lesson(language: str) -> Iterator[tuple[str | None, str]]:
    from daemon.core.earcon_lesson import lesson

    yield from lesson(language)
