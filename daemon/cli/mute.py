"""`watchword mute MINUTES`: descriptions pause; asked for twice in a row, danger does too."""

from __future__ import annotations

import argparse
import sys

from daemon.cli import connection
from daemon.cli.connection import Load, tell
from daemon.control.commands import MuteCommand
from daemon.control.protocol import checked


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("minutes", type=float, metavar="MINUTES", help="for how long; 0 ends it")
    connection.configure(parser)


def execute(args: argparse.Namespace, load: Load) -> int:
    tell(args, load, checked(MuteCommand, seconds=args.minutes * 60))
    if args.minutes > 0:
        sys.stdout.write(f"quiet for {args.minutes:g} min; danger is still said unless you ask again now\n")
    return 0
