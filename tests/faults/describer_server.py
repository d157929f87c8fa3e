"""An OpenAI-compatible server whose fault can be changed while it runs."""

from __future__ import annotations

import threading
from http.server import ThreadingHTTPServer
from typing import Any

from tests.pipeline.description.vlm.fake_server import Handler, chunk


class _Faulty(Handler):
    def do_POST(self) -> None:
        assert isinstance(self.server, FaultyDescriber)
        self.path = f"/{self.server.mode}{self.path}"
        super().do_POST()

    def be_garbage(self, request: dict[str, Any]) -> None:
        self.wfile.write(bytes(range(256)) * 100)

    def be_escapes(self, request: dict[str, Any]) -> None:
        self.wfile.write(b"HTTP/1.1 500 \x1b[2J\x07bad\x9b31m\r\nContent-Length: 0\r\n\r\n")

    def be_halfcharacter(self, request: dict[str, Any]) -> None:
        self._events()
        self.wfile.write(chunk("벽이 있다").encode()[:-20])

    def be_nested(self, request: dict[str, Any]) -> None:
        self._events()
        self._send('data: {"choices":' + "[" * 100_000 + "]" * 100_000 + "}\n\n")

    def be_surrogate(self, request: dict[str, Any]) -> None:
        self._events()
        self._send('data: {"choices":[{"delta":{"content":"A \\ud800 wall."}}]}\n\n' + chunk(None, "stop"))

    def be_reassuring(self, request: dict[str, Any]) -> None:
        """The wrong answer, and the one that must never be given."""
        self._events()
        self._send(chunk("It is safe to cross the street now. There is no car.") + chunk(None, "stop"))


class FaultyDescriber(ThreadingHTTPServer):
    """Answers well until `mode` names another of the handler's behaviours."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Faulty)
        self.mode = "good"
        threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True).start()

    def handle_error(self, request: object, client_address: object) -> None:
        """The client may hang up at any time."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def close(self) -> None:
        self.shutdown()
        self.server_close()
