"""The real web server in a thread of its own, and helpers for its tests."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

import httpx
import pytest

from daemon.config.sections import WebSettings
from daemon.web.app import create_app
from daemon.web.daemon_client import DaemonClient
from daemon.web.server.connections import HEADERS_S, STALL_S, ConnectionLimiter
from daemon.web.server.server import create_server, serve

START_S = 20.0
TIMEOUT_S = 20.0


class Serving:
    """A web interface at a free port of this machine, in front of the daemon at `control`. A context
    manager.
    """

    def __init__(
        self,
        control: Path,
        settings: WebSettings | None = None,
        token: str | None = None,
        certificate: tuple[str, str] | None = None,
        headers_s: float = HEADERS_S,
        stall_s: float = STALL_S,
    ) -> None:
        """`certificate`: its file and the key's; without them there is no TLS."""
        self._certificate: tuple[str | None, str | None] = certificate or (None, None)
        self._headers_s = headers_s
        self._stall_s = stall_s
        self._token = token
        self._settings = settings or WebSettings(requests_per_s=1000, request_timeout_s=30)
        self._control = control
        self._started = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, port: int = 0) -> None:
        """Begin; `port` 0 takes a free one, another the one there was before."""
        self._listener = ConnectionLimiter(
            socket.create_server(("127.0.0.1", port)), headers_s=self._headers_s, stall_s=self._stall_s
        )
        self.port = self._listener.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        app = create_app(self._settings, DaemonClient(lambda: [self._control]), token=self._token)
        certificate, key = self._certificate
        self._server = create_server(app, self._listener, lifespan=True, certificate=certificate, key=key)
        self._dependencies = app.state.dependencies
        self._open_streams = app.state.open_streams
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._started.wait(START_S)

    def viewers(self) -> int:
        """How many look at `/live` now."""
        return int(self._open_streams["viewers"])

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.call_soon(self._started.set)
        await serve(self._server, self._listener)

    def stop(self) -> None:
        """As a stopped process: nobody is at the port any more."""
        asyncio.run_coroutine_threadsafe(self._dependencies.close_streams(), self._loop).result(5)
        self._server.should_exit = True
        self._thread.join(15)
        self._listener.close()


def own_certificate(folder: Path) -> tuple[str, str]:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    certificate, key = str(folder / "web.crt"), str(folder / "web.key")
    subject = ("-days", "2", "-subj", "/CN=localhost")
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            *subject,
            "-keyout",
            key,
            "-out",
            certificate,
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    return certificate, key


LEAKS = ("Traceback", "site-packages", "/daemon/", "/home", "/root", 'File "')


def refused(answer: httpx.Response, *statuses: int) -> None:
    assert answer.status_code in statuses, (answer.status_code, answer.text[:300])
    assert answer.headers["content-type"] == "application/problem+json"
    assert not [leak for leak in LEAKS if leak in answer.text]


def raw(serving: Serving, request: bytes, timeout_s: float = 10) -> bytes:
    with socket.create_connection(("127.0.0.1", serving.port), timeout_s) as link:
        link.sendall(request)
        answer = b""
        try:
            while piece := link.recv(65536):
                answer += piece
        except ConnectionResetError:
            pass
        return answer


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while not holds():
            await asyncio.sleep(0.01)
