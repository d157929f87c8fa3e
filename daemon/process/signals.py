"""Turns signals into requests to the main thread."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from daemon.process.supervisor import ReloadRequested, StopRequested, Wake

log = logging.getLogger(__name__)

STOP = (signal.SIGTERM, signal.SIGINT)
ALL = (*STOP, signal.SIGHUP)
_END = b"\0"


class Signals:
    """SIGTERM and SIGINT ask to stop, SIGHUP to reload; a second request to stop ends the process at once.

    A context manager for the main thread. Python's own handlers wait until the main thread runs Python
    again, which it may not for seconds while a model compiles. So the interpreter writes each signal's
    number to a socket, as soon as it comes, and a thread reads it from there.
    """

    def __init__(self, request: Callable[[Wake], None]) -> None:
        self._request = request
        self._stop_requested = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        self._reader, self._writer = socket.socketpair()
        # The interpreter writes from a signal handler and must never wait.
        self._writer.setblocking(False)
        self._thread = threading.Thread(target=self._read, name="signals", daemon=True)
        # Before the wakeup descriptor is set: a signal from here on has a reader.
        self._thread.start()
        self._fd_before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in ALL:
            self._before[number] = signal.signal(number, _ignore)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._fd_before)
        # Not a signal's number: signals are numbered from 1.
        self._writer.send(_END)
        self._thread.join()
        self._reader.close()
        self._writer.close()

    def _read(self) -> None:
        while (byte := self._reader.recv(1)) not in (b"", _END):
            self._on_signal(byte[0])

    def _on_signal(self, number: int) -> None:
        if number == signal.SIGHUP:
            self._request(ReloadRequested())
        elif number in STOP:
            name = signal.Signals(number).name
            if self._stop_requested:
                log.warning("%s again: ending at once", name)
                # At once, without cleaning up: something of it may be what hangs.
                os._exit(128 + number)
            self._stop_requested = True
            self._request(StopRequested(name))


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Keeps the signal from ending the process; the thread reads its number from the socket."""
