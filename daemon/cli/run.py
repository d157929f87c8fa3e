"""`watchword run`: the daemon."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.service import Daemon

if TYPE_CHECKING:
    from daemon.config.settings import Loaded


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "--source", dest="capture.source", metavar="S", help="a camera, address, file, or demo"
    )
    parser.add_argument("--events", type=Path, metavar="OUT.jsonl", help="append every event there")
    parser.add_argument(
        "--wav", type=Path, metavar="OUT.wav", help="where speech goes while there is no loudspeaker"
    )


def execute(args: argparse.Namespace, load: Callable[[], Loaded]) -> int:
    """Watch until stopped; 0 at the end of a file or when asked to stop."""
    return Daemon(load, time.monotonic, os.environ, events=args.events, fallback=args.wav).run()
