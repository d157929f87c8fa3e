"""`watchword why [ID|#ROW|HAZARD]`: the causes of an event, of the last utterance, or of silence."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any

from daemon.cli.remote import connection
from daemon.cli.remote.connection import Load, send
from daemon.control.client import NotRunning
from daemon.control.commands import WhyCommand
from daemon.control.protocol import checked
from daemon.core.black_box import Recording
from daemon.explain.sources import why
from daemon.journal.paths import JournalPaths
from daemon.journal.reader import reading


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "event",
        nargs="?",
        metavar="EVENT",
        help="an event's id or number (see `watchword journal`), or a hazard: why it was not spoken of",
    )
    parser.add_argument("--language", choices=("en", "ko"), default="en", help="it is told in this one")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--offline", action="store_true", help="from the files, even while the daemon runs")
    connection.configure(parser)


def execute(args: argparse.Namespace, load: Load) -> int:
    result = _answer(args, load)
    text = None if args.json else result.get("text")
    sys.stdout.write(f"{text or json.dumps(result, ensure_ascii=False, indent=2)}\n")
    return 0


def _answer(args: argparse.Namespace, load: Load) -> Mapping[str, Any]:
    wanted = checked(WhyCommand, event=args.event, language=args.language)
    if not args.offline:
        try:
            return send(args, load, wanted)
        except NotRunning:
            # The journal and the last black box on disk still have the events.
            pass
    places = JournalPaths.in_state(load().settings.paths.state)
    return why(places, lambda: _last_box(places), args.event, language=args.language)


def _last_box(places: JournalPaths) -> Recording | None:
    """The newest black box: the last scores known of every hazard."""
    with reading(places) as reader:
        file = reader.newest_recording()
    return Recording.load(file) if file else None
