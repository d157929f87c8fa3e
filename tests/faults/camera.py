"""An MJPEG camera with faults: what it sends, and how, can be changed while it runs."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from capture.frame import Image

FPS = 12.0


class FaultyCamera:
    """Sends pictures until `close`; `mode` is the name of its fault, empty for none."""

    def __init__(self, frames: Sequence[Image]) -> None:
        self.mode = ""
        self._frames = [cv2.imencode(".jpg", frame)[1].tobytes() for frame in frames]
        height, width = frames[0].shape[:2]
        random = np.random.default_rng(0)
        noise = [random.integers(0, 255, (height, width, 3), dtype=np.uint8) for _ in range(8)]
        dark = [np.clip(random.normal(16, 8, (height, width, 3)), 0, 255).astype(np.uint8) for _ in range(8)]
        self._noise = [cv2.imencode(".jpg", frame)[1].tobytes() for frame in noise]
        self._dark = [cv2.imencode(".jpg", frame)[1].tobytes() for frame in dark]
        self._black = cv2.imencode(".jpg", np.zeros((height, width, 3), np.uint8))[1].tobytes()
        self._closed = threading.Event()
        self._links: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self.port = 0
        self.open()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/stream"

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
        for link in self._links:
            link.close()
        self._links.clear()

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
        try:
            link.recv(65536)
            link.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"
            )
            number = 0
            while not self._closed.wait(self._pause_s()):
                if self.mode == "stalls":
                    continue
                number += 1
                data = self._picture(number)
                length = len(data) + {"length too large": 9999, "length too small": -500}.get(self.mode, 0)
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {length}\r\n\r\n"
                link.sendall(head.encode() + data + b"\r\n")
        except OSError:
            pass

    def _pause_s(self) -> float:
        return {"a picture in 3.5 s": 3.5, "a picture a second": 1.0}.get(self.mode, 1 / FPS)

    def _picture(self, number: int) -> bytes:
        frame = self._frames[number * 2 % len(self._frames)]
        made: dict[str, Callable[[], bytes]] = {
            "half pictures": lambda: frame[: len(frame) // 2],
            "noise": lambda: self._noise[number % 8],
            "dark with noise": lambda: self._dark[number % 8],
            "black": lambda: self._black,
            "frozen": lambda: self._frames[0],
            "random bytes": lambda: bytes(len(frame)),
        }
        return made.get(self.mode, lambda: frame)()
