"""The base class of every expected error. Its message is for users and contains the remedy."""

from __future__ import annotations


class WatchwordError(Exception):
    """An error whose cause is a device, a file, a setting or another program, and not a bug of this program.

    Commands print the message in one line. Any other exception that reaches them is a bug and gets a
    traceback.
    """
