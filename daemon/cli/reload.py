"""`watchword reload`: the daemon reads its settings again; it keeps the old where the new do not hold."""

from __future__ import annotations

import argparse
import sys

from daemon.cli.connection import Load, configure, tell
from daemon.control.commands import ReloadCommand

__all__ = ["configure", "execute"]


def execute(args: argparse.Namespace, load: Load) -> int:
    result = tell(args, load, ReloadCommand())
    changed, waiting = result.get("changed", []), result.get("needs_restart", [])
    sys.stdout.write(f"changed: {', '.join(changed) or 'nothing'}\n")
    if waiting:
        sys.stdout.write(f"needs a restart: {', '.join(waiting)}\n")
    return 0
