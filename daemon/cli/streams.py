"""Repairs standard streams that are closed or cannot write every letter, before they are used."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

_NUMBERS = range(3)
"""Standard input, output and error."""


def mend_standard_streams() -> None:
    """Open closed streams on /dev/null; let the others escape letters that their encoding lacks."""
    # First of all: open(2) returns the lowest free number, so the next file would become standard output and
    # receive the text for the terminal.
    for number in _NUMBERS:
        try:
            os.fstat(number)
        except OSError:
            _open_null(number)
    # Python has None in place of a stream that was closed when it started.
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _open_null(number: int) -> None:
    found = os.open(os.devnull, os.O_RDWR)
    if found != number:
        os.dup2(found, number)
        os.close(found)
    # Children inherit it, as they would a terminal.
    os.set_inheritable(number, True)
