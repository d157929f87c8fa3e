"""The base of every error that is expected: its message is for people and has the cure."""

from __future__ import annotations


class WatchwordError(Exception):
    """Not a bug of ours: a device, a file, a setting or another program is at fault, and the message says so.

    Commands print the message in one line. Anything else that reaches them is a bug, with its traceback.
    """
