"""`watchword say TEXT`: the running daemon says it; without one, or into a file, this process does."""

from __future__ import annotations

import argparse
import queue
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from daemon import control_cli
from daemon.control_cli import Load, tell
from daemon.control_client import NotRunning
from daemon.control_protocol import Say, checked
from daemon.errors import CommandError

if TYPE_CHECKING:
    from daemon.settings import Settings
    from speech.audio import Audio
    from speech.player import PlayerEvent

SPARE_S = 10.0
"""Seconds the loudspeaker may take longer than the sound lasts."""
OPEN_S = 5.0
ID = "say"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", nargs="+", metavar="TEXT", help="what to say")
    parser.add_argument("--language", choices=("en", "ko"), help="of the text; the settings' own by default")
    parser.add_argument("--wav", type=Path, metavar="FILE", help="into this file, not aloud")
    control_cli.configure(parser)


def execute(args: argparse.Namespace, load: Load) -> int:
    """Raises CommandError, SynthesisError, PlayerError."""
    say: Say = checked(Say, text=" ".join(args.text), language=args.language)
    if args.wav:
        _write(say, load().settings, args.wav)
        return 0
    try:
        tell(args, load, say)
    except NotRunning:
        if args.instance:
            raise
        _speak(say, load().settings)
    return 0


def _write(say: Say, settings: Settings, path: Path) -> None:
    from speech.wav import WavTimeline

    audio = _rendered(say, settings)
    timeline = WavTimeline(path, audio.rate)
    timeline.place(audio, 0.0)
    timeline.close(audio.duration_s)
    sys.stdout.write(f"{audio.duration_s:.2f} s in {path}\n")


def _speak(say: Say, settings: Settings) -> None:
    from speech.child_player import ChildPlayer
    from speech.player import Began, Ended, Outlet, OutletChanged

    audio = _rendered(say, settings)
    told: queue.SimpleQueue[PlayerEvent] = queue.SimpleQueue()
    player = ChildPlayer(settings.speech, told.put)
    try:
        if player.wait_opened(OPEN_S) is not Outlet.LOUDSPEAKER:
            raise CommandError(_why_not(told))
        player.play(ID, audio)
        while not isinstance(event := _next(told, audio.duration_s + SPARE_S), Ended):
            if not isinstance(event, (Began, OutletChanged)):
                raise CommandError(f"not said to its end: {event.reason}")
    finally:
        player.close()


def _next(told: queue.SimpleQueue[PlayerEvent], timeout_s: float) -> PlayerEvent:
    try:
        return told.get(timeout=timeout_s)
    except queue.Empty:
        raise CommandError("the loudspeaker takes no sound; `watchword check` tells more") from None


def _why_not(told: queue.SimpleQueue[PlayerEvent]) -> str:
    from speech.player import OutletChanged

    event = _next(told, OPEN_S)
    reason = event.reason if isinstance(event, OutletChanged) else "it does not open"
    return f"no loudspeaker ({reason}); --wav FILE writes what would be said"


def _rendered(say: Say, settings: Settings) -> Audio:
    from speech.espeak import ChildSynthesizer
    from speech.utterance import Priority, Utterance
    from speech.voice import Renderer

    utterance = Utterance(
        id=ID,
        cause=None,
        text=say.text,
        language=say.language or settings.speech.language,
        priority=Priority.MESSAGE,
        key=ID,
        created_at_s=0.0,
        captured_at_s=0.0,
        expires_at_s=0.0,
    )
    with ChildSynthesizer(settings.speech) as synthesizer:
        return Renderer(settings.speech, None, synthesizer).render(utterance)
