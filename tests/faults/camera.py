"""An MJPEG camera with faults: what it sends, and how, can be changed while it runs."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache

import cv2
import numpy as np

from capture.frame import Image
from tests.capture.cheap_cameras import cheap_bodies

FPS = 12.0
ANSWERS = {
    "404": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "401": b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n',
    "503": b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
    "redirect loop": b"HTTP/1.1 302 Found\r\nLocation: /stream\r\nContent-Length: 0\r\n\r\n",
    "junk instead of HTTP": bytes(range(256)) * 40,
    "a page instead of a stream": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>Log in</html>",
    "a head without end": b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"a" * 2_000_000,
}
"""What is answered instead of a stream."""
DRIPS = {"one byte a second": (1, 1.0), "2 kB a second": (200, 0.1)}
"""Bytes, and the seconds between them."""
PAUSES_S = {"a picture in 3.5 s": 3.5, "a picture a second": 1.0, "a picture in 2 s": 2.0}
LENGTHS = {"length too large": 9999, "length too small": -500, "length negative": -(10**6)}
AT_ONCE = frozenset(
    [*ANSWERS, *DRIPS, "accepts, never answers", "ends after each picture", "hangs up each second"]
)
"""Modes that show only in a new connection: those that there are end."""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"


def jpeg(image: Image) -> bytes:
    return cv2.imencode(".jpg", image)[1].tobytes()


class FaultyCamera:
    """Sends pictures until `close`; `mode` is the name of its fault, empty for none."""

    def __init__(self, frames: Sequence[Image]) -> None:
        self._mode = ""
        self._images = frames
        self._frames = [jpeg(frame) for frame in frames]
        self._made = cache(self._make)
        self._bodies = cache(lambda kind: cheap_bodies(self._frames[::2])[kind])
        self._closed = threading.Event()
        self._links: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self.port = 0
        self.open()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/stream"

    @property
    def mode(self) -> str:
        return self._mode

    @mode.setter
    def mode(self, mode: str) -> None:
        if mode.startswith("kind: "):
            self._bodies(mode.removeprefix("kind: "))
        elif mode:
            self._picture(0, mode)  # made beforehand: it may take a second
        cheap = mode.startswith("kind:") or self._mode.startswith("kind:")
        self._mode = mode
        if mode in AT_ONCE or cheap:
            self.hang_up()

    def open(self) -> None:
        """Listen, at the same port as before."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def shut(self) -> None:
        """End as a camera does that loses its power."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.hang_up()

    def hang_up(self) -> None:
        """End the connections there are."""
        links, self._links = self._links, []
        for link in links:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
            link.close()

    def close(self) -> None:
        self._closed.set()
        self.shut()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                link, _ = listener.accept()
            except OSError:
                return
            self._links.append(link)
            threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link: socket.socket) -> None:
        mode = self.mode
        try:
            with link:
                link.recv(65536)
                if mode in ANSWERS:
                    link.sendall(ANSWERS[mode])
                elif mode == "accepts, never answers":
                    self._while(mode)
                elif mode in DRIPS:
                    self._drip(link, mode)
                elif mode.startswith("kind: "):
                    self._send_kind(link, mode)
                else:
                    self._stream(link)
        except OSError:
            pass

    def _while(self, mode: str) -> None:
        while self.mode == mode and not self._closed.wait(0.1):
            pass

    def _drip(self, link: socket.socket, mode: str) -> None:
        size, pause_s = DRIPS[mode]
        data = HEAD + self._part(1, mode) * 3
        for begin in range(0, len(data), size):
            if self._closed.wait(pause_s) or self.mode != mode:
                return
            link.sendall(data[begin : begin + size])

    def _send_kind(self, link: socket.socket, mode: str) -> None:
        """As some cheap camera does."""
        bodies = self._bodies(mode.removeprefix("kind: "))
        boundary = b"ipcamera" if mode == "kind: another boundary" else b"frame"
        link.sendall(HEAD.replace(b"frame", boundary))
        number = 0
        while self.mode == mode and not self._closed.wait(1 / FPS):
            link.sendall(bodies[number % len(bodies)])
            number += 1

    def _stream(self, link: socket.socket) -> None:
        link.sendall(HEAD)
        number, began_s = 0, time.monotonic()
        while not self._closed.wait(PAUSES_S.get(self.mode, 1 / FPS)):
            if self.mode == "stalls":
                continue
            # Few pictures a second are taken of a view that goes on meanwhile.
            skipped = PAUSES_S.get(self.mode, 1 / FPS) * FPS
            number += round(skipped)
            link.sendall(self._part(number, self.mode))
            if self.mode == "ends after each picture":
                return
            if self.mode == "hangs up each second" and time.monotonic() - began_s > 1:
                return

    def _part(self, number: int, mode: str) -> bytes:
        data = self._picture(number, mode)
        length = len(data) + LENGTHS.get(mode, 0)
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {length}\r\n\r\n"
        if mode == "random parts":
            return self._made("noise", number % 8)[: 100 + 37 * number % 900]
        return head.encode() + data + b"\r\n"

    def _picture(self, number: int, mode: str) -> bytes:
        frame = self._frames[number * 2 % len(self._frames)]
        if mode == "half pictures":
            return frame[: len(frame) // 2]
        if mode == "random bytes":
            return bytes(len(frame))
        if mode == "empty pictures":
            return b""
        if mode == "frozen":
            return self._frames[0]
        if mode in ("becomes small", "becomes gray", "becomes 1080p", "becomes PNG"):
            return self._made(mode, number * 2 % len(self._frames) // 2 * 2)
        return self._made(mode, number % 8) or frame

    def _make(self, mode: str, number: int) -> bytes:
        image = self._images[number]
        height, width = image.shape[:2]
        random = np.random.default_rng(number)
        noise = random.integers(0, 255, image.shape, dtype=np.uint8)
        made: dict[str, Callable[[], bytes]] = {
            "noise": lambda: jpeg(noise),
            "dark with noise": lambda: jpeg(
                np.clip(random.normal(16, 8, image.shape), 0, 255).astype(np.uint8)
            ),
            "black": lambda: jpeg(np.zeros_like(image)),
            "white": lambda: jpeg(np.full_like(image, 255)),
            "covered": lambda: jpeg(np.full_like(image, 90) + noise // 64),
            "blurred": lambda: jpeg(np.asarray(cv2.GaussianBlur(image, (0, 0), 30), np.uint8)),
            "1 x 1 pixels": lambda: jpeg(image[:1, :1]),
            "641 x 7 pixels": lambda: jpeg(np.asarray(cv2.resize(image, (641, 7)), np.uint8)),
            "100 megapixels": lambda: _huge(),
            "becomes small": lambda: jpeg(np.asarray(cv2.resize(image, (width // 2, height // 2)), np.uint8)),
            "becomes 1080p": lambda: jpeg(np.asarray(cv2.resize(image, (1920, 1080)), np.uint8)),
            "becomes gray": lambda: jpeg(np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)),
            "becomes PNG": lambda: cv2.imencode(".png", image)[1].tobytes(),
        }
        return made.get(mode, bytes)()


@cache
def _huge() -> bytes:
    return jpeg(np.full((10_000, 10_000), 200, np.uint8))
