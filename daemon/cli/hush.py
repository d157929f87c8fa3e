"""`watchword hush`: what is being said ends, what waits is dropped; danger is still said."""

from __future__ import annotations

import argparse

from daemon.cli.connection import Load, configure, tell
from daemon.control.commands import HushCommand

__all__ = ["configure", "execute"]


def execute(args: argparse.Namespace, load: Load) -> int:
    tell(args, load, HushCommand())
    return 0
