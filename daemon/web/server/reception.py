"""Takes connections at a listener, never more at a time than a bound.

asyncio's own server hands a connection over once its TLS handshake is done; whoever only connects would be
counted by nobody, and use up this process's descriptors.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable

log = logging.getLogger(__name__)

CONNECTIONS = 256
"""Of all clients of a listener; further ones are hung up on before anything is read."""
BACKLOG = 128
AT_A_TIME = 32
"""Connections taken in one turn of the loop."""
HANDSHAKE_S = 10.0
FAREWELL_S = 5.0
"""Seconds for the end of a TLS connection."""
RETRY_S = 1.0


class ConnectionLimiter:
    """From when it is made until `close`."""

    def __init__(
        self,
        listener: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        open_: Callable[[], int],
        tls: ssl.SSLContext | None = None,
        *,
        most: int = CONNECTIONS,
        handshake_s: float = HANDSHAKE_S,
    ) -> None:
        """`open_`: how many connections there are that have arrived and not ended."""
        self._listener = listener
        self._protocol = protocol
        self._open = open_
        self._tls = tls
        self._most = most
        self._handshake_s = handshake_s
        self._loop = asyncio.get_running_loop()
        self._arriving: set[asyncio.Task[None]] = set()
        self._again: asyncio.TimerHandle | None = None
        listener.setblocking(False)
        listener.listen(BACKLOG)
        self._begin()

    def close(self) -> None:
        """Take no more, and let go of those that are still shaking hands."""
        if self._again is not None:
            self._again.cancel()
        self._loop.remove_reader(self._listener)
        for task in self._arriving:
            task.cancel()

    async def wait_closed(self) -> None:
        await asyncio.gather(*self._arriving, return_exceptions=True)

    def _begin(self) -> None:
        self._again = None
        self._loop.add_reader(self._listener, self._take)

    def _take(self) -> None:
        for _ in range(AT_A_TIME):
            try:
                link, _address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # no descriptors are left: asking again at once would not make any
                log.warning("no connection can be taken for now: %s", error.strerror)
                self._loop.remove_reader(self._listener)
                self._again = self._loop.call_later(RETRY_S, self._begin)
                return
            if self._open() + len(self._arriving) >= self._most:
                link.close()
                continue
            task = self._loop.create_task(self._welcome(link))
            self._arriving.add(task)
            task.add_done_callback(self._arriving.discard)

    async def _welcome(self, link: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(
                self._protocol,
                link,
                ssl=self._tls,
                ssl_handshake_timeout=self._handshake_s if self._tls else None,
                ssl_shutdown_timeout=FAREWELL_S if self._tls else None,
            )
        except OSError as error:  # it left, was too slow, or speaks no TLS: its own affair
            log.debug("a client did not arrive: %s", error)
