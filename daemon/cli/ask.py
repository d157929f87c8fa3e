"""`watchword ask [TEXT]`: the view is described, or a question about it answered, aloud."""

from __future__ import annotations

import argparse

from daemon.cli import connection
from daemon.cli.connection import Load, tell
from daemon.control.commands import AskCommand
from daemon.control.protocol import checked


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", nargs="*", metavar="TEXT", help="the question; without one, a description")
    connection.configure(parser)


def execute(args: argparse.Namespace, load: Load) -> int:
    tell(args, load, checked(AskCommand, question=" ".join(args.text) or None))
    return 0
