"""uvicorn with the bounds of the web interface, by its public configuration alone.

Hypercorn was weighed for its timeouts: its `read_timeout` also ends event streams and the live picture, whose
clients send nothing for hours, and it bounds neither connections nor stalled writes.
"""

from __future__ import annotations

import asyncio
import logging

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from daemon.web.server.connections import KEEP_ALIVE_S, ConnectionLimiter
from daemon.web.server.guard import UNIX_LISTENER
from daemon.web.server.listeners import BACKLOG

STOP_S = 5
"""Seconds that open answers may take to finish when the server stops."""
LARGEST_HEADERS = 16 * 1024


class _Entrance:
    """ASGI middleware for one listener: tracks its connections, and marks requests from a unix socket.

    The mark is the listener's own, never concluded from a missing client address: a TCP connection that was
    reset has none either.
    """

    def __init__(self, app: ASGIApp, listener: ConnectionLimiter) -> None:
        self._app = app
        self._listener = listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})[UNIX_LISTENER] = self._listener.is_unix
        with self._listener.in_use(scope.get("client")):
            await self._app(scope, receive, send)


def create_server(
    app: ASGIApp,
    listener: ConnectionLimiter,
    *,
    lifespan: bool,
    certificate: str | None = None,
    key: str | None = None,
) -> uvicorn.Server:
    """One for each listener; `lifespan` for the one that starts and ends the application."""
    # Its lines about start and stop repeat ours.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    return uvicorn.Server(
        uvicorn.Config(
            _Entrance(app, listener),
            # uvicorn limits incomplete headers with h11 only.
            http="h11",
            ws="none",
            lifespan="on" if lifespan else "off",
            log_config=None,
            # Addresses may hold search terms and event ids; the counts by status are in /metrics.
            access_log=False,
            # X-Forwarded-For would let a client choose the address by which it is judged.
            proxy_headers=False,
            server_header=False,
            date_header=True,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=STOP_S,
            backlog=BACKLOG,
            h11_max_incomplete_event_size=LARGEST_HEADERS,
            ssl_certfile=certificate,
            ssl_keyfile=key,
        )
    )


async def serve(server: uvicorn.Server, listener: ConnectionLimiter) -> None:
    """Serve at `listener` until `server.should_exit` is set."""
    # A group: if the task that closes idle connections dies, the server ends with it.
    async with asyncio.TaskGroup() as group:
        closing_idle = group.create_task(listener.close_idle())
        await server.serve([listener])
        closing_idle.cancel()
