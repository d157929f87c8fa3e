"""`watchword completion bash|zsh`: prints the script by which a shell completes words of `watchword`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from importlib import import_module

SHELLS = ("bash", "zsh")


def configure(parser: argparse.ArgumentParser) -> None:
    """The argument of the command."""
    parser.add_argument("shell", choices=SHELLS, help="the shell that shall complete")


def execute(args: argparse.Namespace, _: Callable[[], object]) -> int:
    """Print the script."""
    sys.stdout.write(render(args.shell))
    return 0


def render(shell: str) -> str:
    """The script for one of `SHELLS`."""
    # Imported here: it imports every command.
    from daemon.cli.pages.reference import read_reference

    return str(import_module(f"daemon.cli.pages.{shell}").render(read_reference()))
