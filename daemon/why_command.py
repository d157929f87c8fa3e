"""`watchword why [ID]`: what led to an event, or to what was said last."""

from __future__ import annotations

import argparse
import json
import sys

from daemon import control_cli
from daemon.control_cli import Load, tell
from daemon.control_protocol import Why, checked


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("event", nargs="?", metavar="ID", help="an event's id (see `watchword events`)")
    parser.add_argument("--json", action="store_true", help="for programs")
    control_cli.configure(parser)


def execute(args: argparse.Namespace, load: Load) -> int:
    result = tell(args, load, checked(Why, event=args.event))
    told = None if args.json else result.get("text")
    sys.stdout.write(f"{told or json.dumps(result, ensure_ascii=False, indent=2)}\n")
    return 0
