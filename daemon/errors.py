"""Errors of the command line, named by the caller's choice of action."""

from __future__ import annotations

from typing import Literal

from common.errors import WatchwordError

Code = Literal["failed", "invalid", "busy", "unknown", "unavailable"]
"""What a program can do about an error: nothing by itself; ask differently; ask again in a moment; ask for
something that exists; ask again once the daemon has what it needs."""


class ConfigError(WatchwordError):
    """The configuration cannot be used as it is and has to be edited.

    `problems` holds one line each: file and line, the key, the mistake and the allowed values.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class CommandError(WatchwordError):
    """The command cannot do what was asked; the message has the alternative."""

    def __init__(self, message: str, code: Code = "failed") -> None:
        super().__init__(message)
        self.code: Code = code


class UsageError(CommandError):
    """The command was written wrongly: arguments that do not go together, or name nothing there can be."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "invalid")


class AlreadyRunningError(CommandError):
    """Another daemon holds the socket or the state folder; that one is watching."""
