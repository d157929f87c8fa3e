"""`watchword completion bash|zsh`: prints the script with which a shell completes `watchword` commands."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from importlib import import_module

SHELLS = ("bash", "zsh")


def configure(parser: argparse.ArgumentParser) -> None:
    """The argument of the command."""
    parser.add_argument("shell", choices=SHELLS, help="the shell to write the script for")


def execute(args: argparse.Namespace, _: Callable[[], object]) -> int:
    """Print the script."""
    sys.stdout.write(render(args.shell))
    return 0


def render(shell: str) -> str:
    """Return the script for one of `SHELLS`."""
    # Imported late, because it imports every command.
    from daemon.cli.pages.reference import read_reference

    return str(import_module(f"daemon.cli.pages.{shell}").render(read_reference()))
