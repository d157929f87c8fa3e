"""`watchword repeat`: the last thing said is said again."""

from __future__ import annotations

import argparse

from daemon.cli.connection import Load, configure, tell
from daemon.control.commands import RepeatCommand

__all__ = ["configure", "execute"]


def execute(args: argparse.Namespace, load: Load) -> int:
    tell(args, load, RepeatCommand())
    return 0
