"""Prints the lines of the tools."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from common.errors import WatchwordError


def print_lines(lines: Iterable[str]) -> int:
    """Print each line as it is known. Returns the exit code: 1 after the message of a WatchwordError."""
    try:
        for line in lines:
            sys.stdout.write(f"{line}\n")
            # The next one may take minutes; a reader of a pipe sees this one at once.
            sys.stdout.flush()
    except WatchwordError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0
