"""`watchword tour`: the speech and sounds of a wearer's first minute, spoken by this process or
into a file.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.cli.remote.connection import Load
from daemon.cli.remote.say import speak, utterance, write

if TYPE_CHECKING:
    from speech.utterance import Utterance


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--language", choices=("en", "ko"), help="the settings' own by default")
    parser.add_argument("--wav", type=Path, metavar="FILE", help="into this file, not aloud")


def execute(args: argparse.Namespace, load: Load) -> int:
    """Speak the tour. Raises CommandError, SynthesisError, PlayerError."""
    settings = load().settings
    stops = tuple(_utterances(args.language or settings.speech.language))
    if args.wav:
        write(stops, settings, args.wav)
    else:
        speak(stops, settings)
    return 0


def _utterances(language: str) -> Iterator[Utterance]:
    from daemon.core.tour import tour

    for stop in tour(language):
        yield utterance(stop.text, language, stop.earcon, pan=stop.pan, danger=stop.danger)
