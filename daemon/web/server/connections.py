"""A listening socket that bounds its connections and closes those that wait too long for a request.

uvicorn has no timeout for a request's headers, and its `limit_concurrency` refuses requests, not connections:
a client that only connects, or sends headers a byte at a time, would hold its descriptor for ever. asyncio
hands a TLS connection over only after the handshake, so the count must start at `accept`. Both are done here
with sockets alone, so that no private part of the HTTP server is used.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

CONNECTIONS = 256
"""Open connections of one listener. Below the soft limit of 1024 descriptors for two listeners together."""
HEADERS_S = 10.0
"""Seconds from the connection, its TLS handshake included, to the end of the first request's headers."""
KEEP_ALIVE_S = 15
"""Seconds from an answer to the first byte of the next request. An int, as uvicorn wants it."""
STALL_S = 20.0
"""Seconds without progress after which an answer that the client does not read is given up."""
CHECK_S = 1.0

Client = tuple[str, int]
"""Address and port, as in an ASGI scope."""


@dataclass(slots=True)
class _TrackedConnection:
    link: socket.socket
    deadline_s: float
    """The latest time for the next request."""
    requests: int = 0
    """In progress; the deadline counts only without one."""


class ConnectionLimiter(socket.socket):
    """Takes over a listening socket. asyncio calls `accept`, the application `in_use`."""

    def __init__(
        self,
        listener: socket.socket,
        *,
        limit: int = CONNECTIONS,
        headers_s: float = HEADERS_S,
        stall_s: float = STALL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`listener` is detached: the limiter owns its descriptor from then on."""
        super().__init__(listener.family, listener.type, listener.proto, listener.detach())
        self._limit = limit
        self._headers_s = headers_s
        self._clock = clock
        self._connections: dict[Client | int, _TrackedConnection] = {}
        self.is_unix = self.family == socket.AF_UNIX
        if not self.is_unix:
            # asyncio does this only for sockets that were made with the protocol named. Without it an answer
            # in two parts waits 40 ms for the client's delayed acknowledgement. Inherited, as the next one.
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # Inherited by accepted sockets (tcp(7)). The kernel aborts a connection whose peer takes nothing
            # for so long, even when the application has closed it and only buffered data is left.
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(stall_s * 1000))

    def accept(self) -> tuple[socket.socket, Any]:
        """Raises ConnectionAbortedError if there are too many; asyncio goes on accepting after that."""
        link, address = super().accept()
        # Before counting: asyncio tells nobody that a connection has ended.
        self._forget_closed()
        if len(self._connections) >= self._limit:
            link.close()
            raise ConnectionAbortedError("too many connections")
        # A unix client has no address; its descriptor is unique while it is open.
        key = link.fileno() if self.is_unix else _client(address)
        self._connections[key] = _TrackedConnection(link, self._clock() + self._headers_s)
        return link, address

    @contextmanager
    def in_use(self, client: Client | None) -> Iterator[None]:
        """Hold the client's connection open while a request is in progress."""
        connection = self._connections.get(_client(client)) if client else None
        if connection is None:  # a unix socket, or reset since: there is no address to find it by
            yield
            return
        connection.requests += 1
        try:
            yield
        finally:
            connection.requests -= 1
            # uvicorn closes after KEEP_ALIVE_S itself; this is for a next request that never completes its
            # headers.
            connection.deadline_s = self._clock() + KEEP_ALIVE_S + self._headers_s

    async def close_idle(self) -> None:
        """A task, until it is cancelled: end connections that are past their deadline.

        Not those of a unix socket, which have no address to tell them apart; its users are trusted by the
        file's permissions.
        """
        while not self.is_unix:
            await asyncio.sleep(min(CHECK_S, self._headers_s))
            self._forget_closed()
            now = self._clock()
            for connection in self._connections.values():
                if not connection.requests and now >= connection.deadline_s:
                    # asyncio reads this as the client's end, sends what is left to send, and closes.
                    with suppress(OSError):
                        connection.link.shutdown(socket.SHUT_RD)

    def _forget_closed(self) -> None:
        """asyncio closes the very socket that `accept` returned."""
        # A closed socket has the descriptor -1.
        for key in [key for key, each in self._connections.items() if each.link.fileno() < 0]:
            del self._connections[key]


def _client(address: Any) -> Client:
    """IPv6 addresses carry two more fields."""
    return str(address[0]), int(address[1])
