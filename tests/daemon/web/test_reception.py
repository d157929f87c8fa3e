"""Connections at a listener: each counts from the first moment on, and the bound holds."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.web.server.reception import ConnectionLimiter
from tests.daemon.web.test_attacks import own_certificate

MOST = 3
PATIENCE_S = 10.0


class Host(asyncio.Protocol):
    """Says hello."""

    def __init__(self, guests: set[asyncio.BaseTransport]) -> None:
        self._guests = guests

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._guest = transport
        self._guests.add(transport)
        transport.write(b"hello")

    def connection_lost(self, exc: Exception | None) -> None:
        self._guests.discard(self._guest)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.01)


async def heard(link: socket.socket) -> bytes:
    """What comes first; empty where it is hung up on."""
    async with asyncio.timeout(PATIENCE_S):
        try:
            return await asyncio.get_running_loop().sock_recv(link, 100)
        except ConnectionResetError:
            return b""


@pytest.mark.parametrize("tls", [False, True])
def test_never_more_than_the_bound_not_even_such_as_only_connect(tmp_path: Path, tls: bool) -> None:
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*own_certificate(tmp_path))

    async def scenario() -> None:
        guests: set[asyncio.BaseTransport] = set()
        listener = socket.create_server(("127.0.0.1", 0))
        address = listener.getsockname()
        reception = ConnectionLimiter(
            listener, lambda: Host(guests), lambda: len(guests), context, most=MOST, handshake_s=1.0
        )

        def connected() -> socket.socket:
            link = socket.create_connection(address, PATIENCE_S)
            link.setblocking(False)
            return link

        first = [connected() for _ in range(MOST)]
        if not tls:
            assert [await heard(link) for link in first] == [b"hello"] * MOST
        assert [await heard(connected()) for _ in range(MOST)] == [b""] * MOST
        if tls:  # who says nothing is let go, and makes room
            assert [await heard(link) for link in first] == [b""] * MOST
        for link in first:
            link.close()
        await until(lambda: not guests)
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection(*address, ssl=trusting if tls else None)
            assert await reader.readexactly(5) == b"hello"
        writer.close()
        reception.close()
        await reception.wait_closed()
        listener.close()
        await until(lambda: not guests)

    asyncio.run(scenario())


def test_nothing_is_left_of_those_still_shaking_hands(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*own_certificate(tmp_path))

    async def scenario() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        reception = ConnectionLimiter(listener, lambda: Host(set()), lambda: 0, context)
        link = socket.create_connection(listener.getsockname(), PATIENCE_S)
        link.setblocking(False)
        await asyncio.sleep(0.05)
        reception.close()
        await reception.wait_closed()
        listener.close()
        assert await heard(link) == b""

    asyncio.run(scenario())
