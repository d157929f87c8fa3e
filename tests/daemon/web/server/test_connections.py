"""Connections at a listener: each counts from `accept` on, the bound holds, and idle ones are closed."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from daemon.config.sections import WebSettings
from daemon.web.server.connections import ConnectionLimiter
from daemon.web.server.guard import MARK_STREAMING, Guard
from tests.daemon.web.serving import own_certificate, until

LIMIT = 3
TIMEOUT_S = 10.0
HELLO = b"hello"


class Greeter(asyncio.Protocol):
    """Says hello."""

    def __init__(self, open_: set[asyncio.BaseTransport], greeting: bytes = HELLO) -> None:
        self._open = open_
        self._greeting = greeting

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open.add(transport)
        transport.write(self._greeting)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self._transport)


@asynccontextmanager
async def greeting(
    limiter: ConnectionLimiter, tls: ssl.SSLContext | None = None, text: bytes = HELLO
) -> AsyncIterator[set[asyncio.BaseTransport]]:
    open_: set[asyncio.BaseTransport] = set()
    server = await asyncio.get_running_loop().create_server(
        lambda: Greeter(open_, text), sock=limiter, ssl=tls
    )
    closing_idle = asyncio.create_task(limiter.close_idle())
    try:
        yield open_
    finally:
        closing_idle.cancel()
        server.close()


def tcp_listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def connect(address: Any) -> socket.socket:
    link = socket.create_connection(address, TIMEOUT_S)
    link.setblocking(False)
    return link


async def received(link: socket.socket) -> bytes:
    """The next bytes; empty once the server has closed."""
    async with asyncio.timeout(TIMEOUT_S):
        try:
            return await asyncio.get_running_loop().sock_recv(link, 100)
        except ConnectionResetError:
            return b""


@pytest.mark.parametrize("tls", [False, True])
def test_never_more_than_the_bound_even_if_they_only_connect(tmp_path: Path, tls: bool) -> None:
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*own_certificate(tmp_path))

    async def scenario() -> None:
        limiter = ConnectionLimiter(tcp_listener(), limit=LIMIT, headers_s=1.0)
        address = limiter.getsockname()
        async with greeting(limiter, context) as open_:
            first = [connect(address) for _ in range(LIMIT)]
            if not tls:
                assert [await received(link) for link in first] == [HELLO] * LIMIT
            assert [await received(connect(address)) for _ in range(LIMIT)] == [b""] * LIMIT
            assert [await received(link) for link in first] == [b""] * LIMIT, "silent ones make room"
            await until(lambda: not open_)
            trusting = ssl.create_default_context()
            trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
            async with asyncio.timeout(TIMEOUT_S):
                reader, writer = await asyncio.open_connection(*address, ssl=trusting if tls else None)
                assert await reader.readexactly(len(HELLO)) == HELLO
            writer.close()
            await until(lambda: not open_)

    asyncio.run(scenario())


def test_a_request_in_progress_keeps_its_connection_and_the_next_has_time_to_come() -> None:
    now = [0.0]

    async def scenario() -> None:
        limiter = ConnectionLimiter(tcp_listener(), headers_s=0.05, clock=lambda: now[0])
        async with greeting(limiter) as open_:
            busy, idle = connect(limiter.getsockname()), connect(limiter.getsockname())
            assert [await received(busy), await received(idle)] == [HELLO, HELLO]
            with limiter.in_use(busy.getsockname()):
                now[0] = 100.0
                assert await received(idle) == b""
                assert len(open_) == 1
            now[0] = 110.0
            await asyncio.sleep(0.2)  # four checks: what must not happen cannot be awaited
            assert len(open_) == 1, "it may keep the connection for another request"
            now[0] = 120.0
            assert await received(busy) == b""

    asyncio.run(scenario())


def test_an_answer_is_sent_to_its_end_before_an_idle_connection_is_closed() -> None:
    answer = bytes(8_000_000)

    async def scenario() -> None:
        limiter = ConnectionLimiter(tcp_listener(), headers_s=0.05)
        async with greeting(limiter, text=answer) as open_:
            link = connect(limiter.getsockname())
            await until(lambda: any(each.is_closing() for each in open_))
            link.setblocking(True)
            link.settimeout(TIMEOUT_S)

            def read() -> int:
                return sum(iter(lambda: len(link.recv(1 << 20)), 0))

            assert await asyncio.to_thread(read) == len(answer)

    asyncio.run(scenario())


def test_a_client_that_reads_nothing_is_aborted() -> None:
    async def scenario() -> None:
        limiter = ConnectionLimiter(tcp_listener(), headers_s=TIMEOUT_S, stall_s=0.3)
        async with greeting(limiter, text=bytes(8_000_000)) as open_:
            link = connect(limiter.getsockname())
            await until(lambda: bool(open_))
            await until(lambda: not open_)
            link.close()

    asyncio.run(scenario())


def test_an_answer_does_not_wait_for_a_delayed_acknowledgement() -> None:
    with (
        ConnectionLimiter(_made_without_naming_the_protocol()) as listener,
        socket.create_connection(listener.getsockname()),
    ):
        link, _ = listener.accept()
        with link:
            assert link.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def _made_without_naming_the_protocol() -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    return listener


def test_a_unix_socket_is_bounded_too(tmp_path: Path) -> None:
    async def scenario() -> None:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(tmp_path / "s"))
        limiter = ConnectionLimiter(listener, limit=1)
        async with greeting(limiter) as open_:
            reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
            assert await reader.readexactly(len(HELLO)) == HELLO
            late, late_writer = await asyncio.open_unix_connection(tmp_path / "s")
            assert await late.read() == b""
            late_writer.close()
            writer.close()
            await until(lambda: not open_)

    asyncio.run(scenario())


def test_an_answer_that_nobody_reads_ends_the_request() -> None:
    """At a unix socket the kernel has no such limit: the guard's holds."""
    ended: list[str] = []

    async def streaming(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"][MARK_STREAMING]()
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        finally:
            ended.append(scope["path"])

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        await asyncio.Event().wait()

    async def scenario() -> Counter[int]:
        guard = Guard(streaming, WebSettings(), None, frozenset(), send_s=0.05)
        scope: Scope = {
            "type": "http",
            "method": "GET",
            "scheme": "http",
            "path": "/live",
            "query_string": b"",
            "headers": [(b"host", b"localhost")],
            "client": ("127.0.0.1", 5),
        }
        async with asyncio.timeout(TIMEOUT_S):
            await guard(scope, receive, send)
        return guard.counts

    assert asyncio.run(scenario()) == {200: 1}
    assert ended == ["/live"]
