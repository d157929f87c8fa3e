"""A small server that speaks the OpenAI protocol, well or badly: `python -m
tests.pipeline.description.vlm.fake_server`.

Prints its port. The first part of the path says how it behaves; what it was asked is at `/asked`.
"""

from __future__ import annotations

import base64
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2
import numpy as np

ASKED: list[dict[str, Any]] = []


def chunk(text: str | None, finish: str | None = None) -> str:
    choice = {"index": 0, "delta": {} if text is None else {"content": text}, "finish_reason": finish}
    return f"data: {json.dumps({'choices': [choice]})}\n\n"


class Handler(BaseHTTPRequestHandler):
    """One method a kind of behaviour."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None: ...

    def do_GET(self) -> None:
        self._whole(200, "application/json", json.dumps(ASKED))

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        ASKED.append({"request": request, "path": self.path, "key": self.headers.get("Authorization")})
        behave = getattr(self, "be_" + self.path.split("/")[1])
        self.close_connection = True
        try:
            behave(request)
        except (BrokenPipeError, ConnectionResetError):
            ASKED.append({"hung_up": True})

    def _whole(self, status: int, kind: str, body: str, length: int | None = None) -> None:
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)

    def _events(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Connection", "close")
        self.end_headers()

    def _send(self, text: str) -> None:
        self.wfile.write(text.encode())
        self.wfile.flush()

    def be_good(self, request: dict[str, Any]) -> None:
        """Says which colour the picture is, so that its way is proven."""
        url = request["messages"][1]["content"][1]["image_url"]["url"]
        data = np.frombuffer(base64.b64decode(url.partition(",")[2]), np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert picture is not None
        blue, green, red = picture.reshape(-1, 3).mean(0)
        colour = max((red, "red"), (green, "green"), (blue, "blue"))[1]
        self._events()
        for piece in (
            ": hello\n\n",
            "event: x\n",
            chunk("A " + colour),
            chunk(" wall. It is"),
            chunk(" plain."),
        ):
            self._send(piece)
        self._send(chunk(None, "stop") + "data: [DONE]\n\n")

    def be_whole(self, request: dict[str, Any]) -> None:
        message = {"role": "assistant", "content": "A plain wall. Nothing else."}
        answer = {"choices": [{"message": message, "finish_reason": "stop"}]}
        self._whole(200, "application/json", json.dumps(answer))

    def be_silent(self, request: dict[str, Any]) -> None:
        time.sleep(60)

    def be_dripping(self, request: dict[str, Any]) -> None:
        """Never still for long, never done."""
        self._events()
        for _ in range(600):
            self._send(":")
            time.sleep(0.1)

    def be_drippinghead(self, request: dict[str, Any]) -> None:
        self._send("HTTP/1.1 200 OK\r\n")
        for number in range(600):
            self._send(f"X-{number}: a\r\n" if number % 20 == 0 else "")
            time.sleep(0.1)

    def be_endless(self, request: dict[str, Any]) -> None:
        self._events()
        for number in range(2000):
            self._send(chunk(f"Thing number {number}. "))
            time.sleep(0.01)

    def be_broken(self, request: dict[str, Any]) -> None:
        self._events()
        self._send(chunk("A wall. And then") + 'data: {"choi')

    def be_halfanswer(self, request: dict[str, Any]) -> None:
        self._events()
        self._send(chunk("A wall. And then"))

    def be_lying(self, request: dict[str, Any]) -> None:
        """Promises more than it sends, of another kind than it says."""
        self._whole(200, "application/json", "<html>Welcome to the hotel</html>", length=5000)

    def be_html(self, request: dict[str, Any]) -> None:
        self._whole(200, "text/html", "<html>Please sign in</html>")

    def be_strange(self, request: dict[str, Any]) -> None:
        self._events()
        self._send('data: {"choices": [{"delta": {"content": {"surprise": 1}}}]}\n\n')

    def be_error(self, request: dict[str, Any]) -> None:
        self._whole(500, "application/json", json.dumps({"error": {"message": "model\nnot\x07 found"}}))

    def be_late(self, request: dict[str, Any]) -> None:
        self._events()
        self._send(chunk("A wall. ") + f"data: {json.dumps({'error': {'message': 'out of memory'}})}\n\n")

    def be_oversized(self, request: dict[str, Any]) -> None:
        self._events()
        while True:
            self._send(": " + "x" * 60_000 + "\n")

    def be_longline(self, request: dict[str, Any]) -> None:
        self._events()
        self._send("data: " + "x" * 900_000)

    def be_redirect(self, request: dict[str, Any]) -> None:
        self.send_response(307)
        self.send_header("Location", "/good/v1/chat/completions")
        self.send_header("Content-Length", "0")
        self.end_headers()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()
