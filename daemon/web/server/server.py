"""uvicorn, with the patience it lacks: a client that is slow with its headers, or with taking its answer,
is let go, and there are never more connections than a bound.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from daemon.web.server.guard import NEIGHBOUR
from daemon.web.server.reception import BACKLOG, ConnectionLimiter

HEADERS_S = 10.0
"""Seconds from the connection, or from the first byte of a further request, to the end of the headers."""
STALL_S = 20.0
"""Seconds a client may take nothing of what it is sent."""
KEEP_ALIVE_S = 15
STOP_S = 5
LARGEST_HEADERS = 16 * 1024


class PatientProtocol(H11Protocol):
    """Patient, but not for ever."""

    headers_s = HEADERS_S
    stall_s = STALL_S
    _headers: asyncio.TimerHandle | None = None
    _stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if _is_unix(transport):
            self.app_state = {**self.app_state, NEIGHBOUR: True}
        elif self.client is None:
            transport.abort()  # it has reset already: whose address it was nobody knows
            return
        self._headers = self.loop.call_later(self.headers_s, self._no_headers)

    def data_received(self, data: bytes) -> None:
        if self._headers is None and (self.cycle is None or self.cycle.response_complete):
            self._headers = self.loop.call_later(self.headers_s, self._no_headers)
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._cancel_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_headers()
        self._cancel_stall()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stall is None:
            self._stall = self.loop.call_later(self.stall_s, self.transport.abort)

    def resume_writing(self) -> None:
        self._cancel_stall()
        super().resume_writing()

    def _no_headers(self) -> None:
        self._headers = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()

    def _cancel_headers(self) -> None:
        if self._headers is not None:
            self._headers.cancel()
            self._headers = None

    def _cancel_stall(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None


def _is_unix(transport: asyncio.BaseTransport) -> bool:
    listener = transport.get_extra_info("socket")
    return listener is not None and listener.family == socket.AF_UNIX


class Server(uvicorn.Server):
    """Leaves signals to whoever runs it, and taking connections to a Reception."""

    def __init__(self, config: uvicorn.Config, protocol: type[PatientProtocol]) -> None:
        super().__init__(config)
        self._protocol = protocol

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """The application first. uvicorn wants no more of its servers than to close them."""
        await super().startup(sockets=[])
        arrived = self.server_state.connections
        protocol = partial(
            self._protocol, self.config, self.server_state, self.lifespan.state, asyncio.get_running_loop()
        )
        receptions = [
            ConnectionLimiter(each, protocol, lambda: len(arrived), self.config.ssl) for each in sockets or ()
        ]
        self.servers = cast(Any, receptions)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server(
    app: Any,
    *,
    lifespan: bool,
    certificate: str | None = None,
    key: str | None = None,
    protocol: type[PatientProtocol] = PatientProtocol,
) -> Server:
    """One for each kind of listener; only one of them starts and ends the application."""
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    return Server(
        uvicorn.Config(
            app,
            http=protocol,
            ws="none",
            lifespan="on" if lifespan else "off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=True,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=STOP_S,
            h11_max_incomplete_event_size=LARGEST_HEADERS,
            backlog=BACKLOG,
            ssl_certfile=certificate,
            ssl_keyfile=key,
        ),
        protocol,
    )
