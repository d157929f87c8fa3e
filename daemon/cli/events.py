"""`watchword events [KIND...]`: what happens, as it happens, one JSON object a line."""

from __future__ import annotations

import argparse
import sys

from daemon.cli import connection
from daemon.cli.connection import Load, connect
from daemon.errors import CommandError


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="only these, such as alert or speak")
    connection.configure(parser)


def execute(args: argparse.Namespace, load: Load) -> int:
    with connect(args, load) as client:
        for line in client.events(args.kinds):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
    raise CommandError("watchword has stopped")
