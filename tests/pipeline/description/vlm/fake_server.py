"""A small server that speaks the OpenAI protocol, well or badly: `python -m
tests.pipeline.description.vlm.fake_server`.

Prints its port. The first part of the path says how it behaves; what it was asked is at `/asked`.
"""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np

LOADED = threading.Event()
ASKED: list[dict[str, Any]] = []

SLOW_S = 4.0
"""Seconds that the slow one takes."""


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

    def be_slow(self, request: dict[str, Any]) -> None:
        """Thinks for some seconds about every picture, as a model does that fills the machine; not about the
        first question, with which a client has it load.
        """
        if "Answer with one word" not in json.dumps(request):
            time.sleep(SLOW_S)
        self.be_good(request)

    def be_wild(self, request: dict[str, Any]) -> None:
        """Everything that servers do to the format, in one answer."""
        self._events()
        self._send("\ufeff: open\r\n\r\ndata:\r\n\r\nevent: ping\r\ndata\r\n\r\n")
        self._send(f"data: {json.dumps({'object': 'chat.completion.chunk', 'choices': []})}\r\n\r\n")
        self._send(f"data: {json.dumps({'usage': {'prompt_tokens': 3}})}\n\n")
        self._send('data: {"error": null, "choices":\ndata: [{"delta": {"content": null}}]}\n\n')
        first = {"error": None, "choices": [{"delta": {"content": [{"type": "text", "text": "A red"}]}}]}
        self._send(f"id: 1\rdata:{json.dumps(first)}\r\r")
        second = {"choices": [{"delta": {"content": " wall."}, "finish_reason": None}]}
        third = {"choices": [{"delta": {"content": ""}, "finish_reason": "stop"}]}
        self._send(f"data: {json.dumps(second)}\ndata: {json.dumps(third)}")

    def be_gzip(self, request: dict[str, Any]) -> None:
        data = gzip.compress((chunk("A red wall.") + chunk(None, "stop")).encode())
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def be_untyped(self, request: dict[str, Any]) -> None:
        self._whole(200, "text/plain", chunk("A red wall.") + chunk(None, "stop"))

    def be_slowload(self, request: dict[str, Any]) -> None:
        """Loads its model for some seconds, and gives up if the client leaves meanwhile, as Ollama does."""
        if not LOADED.is_set():
            end_s = time.monotonic() + 6
            while time.monotonic() < end_s:
                self.connection.settimeout(0.1)
                try:
                    if self.connection.recv(1) == b"":
                        ASKED.append({"gave_up_loading": True})
                        return
                except TimeoutError:
                    continue
            LOADED.set()
        self.be_good(request)

    def _thinks(self, request: dict[str, Any], *, quiet: bool) -> None:
        self._events()
        if quiet:
            self._send(chunk("A red wall.") + chunk(None, "stop"))
            return
        for _ in range(20):
            delta = {"content": "", "reasoning": "The user wants "}
            self._send(f"data: {json.dumps({'choices': [{'delta': delta, 'finish_reason': None}]})}\n\n")
        self._send(chunk(None, "length"))

    def be_ollama(self, request: dict[str, Any]) -> None:
        """Puts everything into `reasoning` unless its switch is set."""
        self._thinks(request, quiet=request.get("reasoning_effort") == "none")

    def be_vllm(self, request: dict[str, Any]) -> None:
        """Another switch; and what it does not know, it refuses."""
        if "reasoning_effort" in request:
            self._whole(400, "application/json", json.dumps({"error": "unknown reasoning_effort"}))
            return
        self._thinks(request, quiet=request.get("chat_template_kwargs", {}).get("enable_thinking") is False)

    def be_stubborn(self, request: dict[str, Any]) -> None:
        self._thinks(request, quiet=request.get("my_switch") == 1)

    def be_textonly(self, request: dict[str, Any]) -> None:
        told = "image input is not supported - hint: you may need to provide the mmproj"
        self._whole(500, "application/json", json.dumps({"error": {"message": told}}))

    def be_blind(self, request: dict[str, Any]) -> None:
        self._whole(200, "application/json", json.dumps({"choices": [{"message": {"content": "Blue."}}]}))

    def be_nov1(self, request: dict[str, Any]) -> None:
        self._whole(404, "text/plain", "404 page not found")

    def be_whole(self, request: dict[str, Any]) -> None:
        message = {"role": "assistant", "content": "A plain wall. Nothing else."}
        answer = {"choices": [{"message": message, "finish_reason": "stop"}]}
        self._whole(200, "application/json", json.dumps(answer))

    def be_wholeasstream(self, request: dict[str, Any]) -> None:
        """One answer, under the type that was asked for."""
        answer = {"choices": [{"message": {"content": "A red wall."}, "finish_reason": "stop"}]}
        self._whole(200, "text/event-stream", json.dumps(answer))

    def be_silent(self, request: dict[str, Any]) -> None:
        time.sleep(60)

    def be_stalling(self, request: dict[str, Any]) -> None:
        """Ends neither the answer nor the connection after its last word."""
        self._events()
        self._send(chunk("A red ") + chunk("wall."))
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

    def _unmarked(self, *texts: str) -> None:
        """Send a stream without finish reason whose end is that of the connection."""
        self._events()
        self._send("".join(map(chunk, texts)))

    def be_unfinished(self, request: dict[str, Any]) -> None:
        """No finish reason, no [DONE]."""
        self._unmarked("A red ", "wall.")

    def _chunked(self, *texts: str, end: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for data in map(chunk, texts):
            self._send(f"{len(data):x}\r\n{data}\r\n")
        self._send(end)

    def be_unfinishedchunked(self, request: dict[str, Any]) -> None:
        """The same with an end of the body, after words without a full stop."""
        self._chunked("A red wall. ", "A door", end="0\r\n\r\n")

    def be_cut(self, request: dict[str, Any]) -> None:
        """The connection ends before the body does, between two sentences."""
        self._chunked("A red wall. ", "It is plain.", end="")

    def be_cutinside(self, request: dict[str, Any]) -> None:
        self._chunked("A red wall. ", "It is 3.", end="")

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


@contextmanager
def running_server() -> Iterator[str]:
    """The address of a server of this kind in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.pipeline.description.vlm.fake_server"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[4],
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait(60)
        process.stdout.close()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()
