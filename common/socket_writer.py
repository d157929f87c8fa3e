"""Writing to a socket without ever waiting for the other side."""

from __future__ import annotations

import select
import socket
import threading
from collections import deque

LIMIT_BYTES = 64 * 2**20
"""Bytes that may wait for a slow reader; a minute of sound is a tenth of it."""
WRITE_S = 0.2


class SocketWriter:
    """Bytes go out in the caller's thread as far as the socket takes them, the rest in a thread of its own.

    The socket is to be non-blocking, or have a timeout.
    """

    def __init__(self, link: socket.socket) -> None:
        # A descriptor of its own: it can be closed here while the reader still uses the other.
        self._link = link.dup()
        self._link.setblocking(False)
        self._backlog: deque[memoryview] = deque()
        self._waiting = 0
        self._changed = threading.Condition()
        self._open = True
        self._thread = threading.Thread(target=self._write, name="outgoing", daemon=True)
        self._thread.start()

    def push(self, data: bytes) -> bool:
        """Send it in order; False if the other side is gone or hopelessly behind."""
        with self._changed:
            if not self._open or self._waiting + len(data) > LIMIT_BYTES:
                return False
            rest = memoryview(data)
            # Directly only if nothing waits: otherwise this would overtake earlier data.
            if not self._backlog:
                rest = rest[self._send(rest) :]
            if rest:
                self._backlog.append(rest)
                self._waiting += len(rest)
                self._changed.notify()
            return self._open

    def close(self) -> None:
        with self._changed:
            self._open = False
            self._changed.notify()
        self._thread.join(2 * WRITE_S + 1)
        self._link.close()

    def _send(self, data: memoryview) -> int:
        try:
            return self._link.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            self._open = False
            return 0

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._backlog or not self._open)
                if not self._open:
                    return
            # Without the lock, so that `push` never waits for a slow reader; with a timeout, so that `close`
            # is seen.
            select.select([], [self._link], [], WRITE_S)
            with self._changed:
                if not self._open:
                    return
                sent = self._send(self._backlog[0])
                self._waiting -= sent
                self._backlog[0] = self._backlog[0][sent:]
                if not self._backlog[0]:
                    self._backlog.popleft()
