"""Connects to a running daemon, sends commands and receives events."""

from __future__ import annotations

import errno
import itertools
import os
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from daemon.control.commands import Command, EventsCommand
from daemon.control.lines import LineReader, LineTooLong
from daemon.control.paths import SUFFIX, instances
from daemon.control.protocol import (
    LONGEST_REPLY,
    Request,
    decode_reply,
    encode_request,
)
from daemon.errors import CommandError

TIMEOUT_S = 5.0
"""Seconds to wait for the connection and for each reply."""
LOOK_S = 1.0
"""Seconds between two checks that the connection is still open, while events are awaited."""
# The errors of connect(2) that mean "no daemon there", and not "not allowed" or "busy".
_NO_DAEMON = frozenset({errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR, errno.ENAMETOOLONG})


class NotRunning(CommandError):
    """No daemon is there; the message says how to start one."""


class ControlClient:
    """A connection to the daemon; one thread at a time."""

    def __init__(self, path: Path, timeout_s: float = TIMEOUT_S) -> None:
        """Raises NotRunning, CommandError."""
        self.path = path
        self._timeout_s = timeout_s
        self._ids = itertools.count(1)
        self._link = _connected(path, timeout_s)
        self._lines = LineReader(self._link, LONGEST_REPLY)

    def __enter__(self) -> ControlClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._link.close()

    def ask(self, command: Command) -> dict[str, Any]:
        """Send a command and return its result. Raises CommandError with the daemon's message."""
        id = next(self._ids)
        try:
            # A daemon that refuses a client sends the reason and closes: it can still be read.
            with suppress(BrokenPipeError):
                self._link.sendall(encode_request(Request(id, command)))
            line = self._lines.read()
        except TimeoutError:
            raise CommandError(
                f"watchword did not answer within {self._timeout_s:g} s; "
                "`systemctl status watchword` and its log say more"
            ) from None
        except (OSError, LineTooLong):
            line = None
        if line is None:
            raise CommandError("watchword went away before it answered; its log says why")
        return decode_reply(line, id)

    def events(self, kinds: Sequence[str] = ()) -> Iterator[str]:
        """Yield each event from now on as a line of JSON, as it happens, until the daemon ends.

        The client cannot send other commands after that. Raises CommandError.
        """
        self.ask(EventsCommand(kinds=tuple(kinds)))
        # Another thread may have closed the connection: then there are no events.
        with suppress(OSError):
            # A short timeout, so that a close by another thread is noticed soon.
            self._link.settimeout(LOOK_S)
        return self._received()

    def _received(self) -> Iterator[str]:
        while True:
            try:
                line = self._lines.read()
            except TimeoutError:
                continue
            except (OSError, LineTooLong):
                return
            if line is None:
                return
            yield line.decode("utf-8", "replace")


def connect_any(paths: Iterable[Path], timeout_s: float = TIMEOUT_S) -> ControlClient:
    """Connect to the first daemon that runs. Raises NotRunning, CommandError."""
    tried: dict[Path, None] = {}
    # `paths` is consumed lazily: its last item may come from settings that cannot be read.
    for path in paths:
        if path in tried:
            continue
        tried[path] = None
        with suppress(NotRunning):
            return ControlClient(path, timeout_s)
    raise NotRunning(_not_running_message(tuple(tried)))


def _connected(path: Path, timeout_s: float) -> socket.socket:
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.settimeout(timeout_s)
    try:
        link.connect(os.fsencode(path))
    except OSError as error:
        link.close()
        raise _unreachable(path, error) from None
    return link


def _unreachable(path: Path, error: OSError) -> CommandError:
    # Python itself refuses paths of more than 107 bytes, without an errno.
    if error.errno in _NO_DAEMON or "too long" in str(error):
        return NotRunning(_not_running_message((path,)))
    if error.errno == errno.EACCES:
        return CommandError(
            f"you may not talk to the watchword at {path}; do it as its user or root, or join control.group"
        )
    return CommandError(f"the watchword at {path} cannot be reached: {error.strerror or error}")


def _not_running_message(tried: Sequence[Path]) -> str:
    where = ", ".join(str(path) for path in tried)
    others = sorted({name for folder in {path.parent for path in tried} for name in _running(folder)})
    if others:
        return f"no watchword is running (socket {where}); but there are {', '.join(others)}: --instance NAME"
    return (
        f"no watchword is running (socket {where}); "
        "start it with `watchword run` or `systemctl start watchword`"
    )


def _running(folder: Path) -> Iterator[str]:
    for name in instances(folder):
        # Connect, because a daemon that has gone may have left its socket file. Not by `ControlClient`, whose
        # error lists the instances that run, and would ask the same sockets again without end.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.settimeout(LOOK_S)
            link.connect(os.fsencode(folder / f"{name}{SUFFIX}"))
            yield name
