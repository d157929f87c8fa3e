"""Commands of one word: `watchword louder`, `describe`, `false-alarm` and their like."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Any

from daemon.cli.connection import Load, configure, tell
from daemon.control import commands as wire

__all__ = ["configure", "execute"]

TOLD: Mapping[str, wire.Command] = {
    "louder": wire.LouderCommand(),
    "softer": wire.SofterCommand(),
    "faster": wire.FasterCommand(),
    "slower": wire.SlowerCommand(),
    "describe": wire.DescribeCommand(),
    "false-alarm": wire.FalseAlarmCommand(),
}
"""What the daemon is told, by the name of the command."""


def execute(args: argparse.Namespace, load: Load) -> int:
    result = tell(args, load, TOLD[args.command])
    if line := _line(args.command, result):
        sys.stdout.write(f"{line}\n")
    return 0


def _line(command: str, result: Mapping[str, Any]) -> str:
    if command in ("louder", "softer") and "volume" in result:
        return f"volume {result['volume']:.0%}"
    if command in ("faster", "slower") and "rate_wpm" in result:
        return f"{result['rate_wpm']} words a minute"
    return ""
