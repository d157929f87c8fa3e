"""Real servers on 127.0.0.1 for tests: MJPEG over HTTP, RTSP, and a camera that pushes."""

from __future__ import annotations

import contextlib
import itertools
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import pytest

from capture.frame import Image
from tests.capture.made import street

Paint = Callable[[int], Image]
"""The picture with this number."""


def moving_street(index: int) -> Image:
    """320 x 240, different each time."""
    return street(index % 50, 320, 240)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def ffmpeg() -> str:
    """Debian's ffmpeg, or the one inside imageio-ffmpeg; the test is skipped where there is neither."""
    found = shutil.which("ffmpeg")
    if found:
        return found
    try:
        import imageio_ffmpeg  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        pytest.skip("needs ffmpeg: apt install ffmpeg, or pip install imageio-ffmpeg")
    return str(imageio_ffmpeg.get_ffmpeg_exe())


class _Closing:
    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        raise NotImplementedError


@contextlib.contextmanager
def tcp_server(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a server that hands each connection to `serve`, in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                link, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(link,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


PAINTED_FPS = 25


class MjpegServer(_Closing):
    """A camera that sends JPEGs over HTTP, and may stall, send rubbish or hang up on demand.

    Pictures are painted for 25 a second, of which every other is sent unless `fps` says otherwise: a daemon
    that sees them all keeps one processor busy.
    """

    def __init__(self, paint: Paint = moving_street, fps: float = PAINTED_FPS / 2, port: int = 0) -> None:
        self.paint = paint
        self.fps = fps
        self.stalled = threading.Event()
        self.rubbish = threading.Event()
        self.clients = 0
        self._closed = threading.Event()
        self._sockets: list[socket.socket] = []
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                camera._serve(self)

            def log_message(self, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._http.daemon_threads = True
        self.port = int(self._http.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}/stream.mjpg"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def hang_up(self) -> None:
        """Close the connections there are."""
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._sockets.clear()

    def close(self) -> None:
        self._closed.set()
        self.hang_up()
        self._http.shutdown()
        self._http.server_close()

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        self._sockets.append(request.connection)
        self.clients += 1
        request.send_response(200)
        request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        request.end_headers()
        with contextlib.suppress(OSError):
            for part in self._parts():
                request.wfile.write(part)

    def _parts(self) -> Iterator[bytes]:
        for index in itertools.count():
            if self._closed.wait(1 / self.fps):
                return
            while self.stalled.is_set() and not self._closed.wait(0.02):
                pass
            data = cv2.imencode(".jpg", self.paint(round(index * PAINTED_FPS / self.fps)))[1].tobytes()
            if self.rubbish.is_set():
                data = bytes(len(data))
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
            yield head.encode() + data + b"\r\n"


class Pusher(_Closing):
    """FFmpeg encodes painted pictures as H.264 and sends them where its last arguments say."""

    def __init__(self, *output: str, paint: Paint = moving_street, fps: float = PAINTED_FPS) -> None:
        height, width = paint(0).shape[:2]
        self._paint = paint
        self._fps = fps
        self._closed = threading.Event()
        source = f"-f rawvideo -pix_fmt bgr24 -s {width}x{height} -r {fps} -i pipe:0"
        codec = "-fps_mode passthrough -c:v libx264 -preset ultrafast -tune zerolatency -pix_fmt yuv420p"
        pace = f"-g {round(fps)} -flush_packets 1"
        quiet = "-v error -fflags nobuffer -avioflags direct -probesize 32 -analyzeduration 0"
        self._process = subprocess.Popen(
            [ffmpeg(), *quiet.split(), *source.split(), *codec.split(), *pace.split(), *output],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._thread = threading.Thread(target=self._feed, daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        self._closed.set()
        self._process.kill()
        self._process.wait(10)
        self._thread.join(10)

    def _feed(self) -> None:
        assert self._process.stdin is not None
        due_s = time.monotonic()
        with contextlib.suppress(OSError):
            for index in itertools.count():
                due_s += 1 / self._fps
                if self._closed.wait(max(0.0, due_s - time.monotonic())):
                    return
                self._process.stdin.write(self._paint(index).tobytes())
                self._process.stdin.flush()


class RtspServer(_Closing):
    """A small RTSP server (RFC 2326, RTP interleaved in TCP) for one H.264 stream.

    With `udp` it refuses TCP (461) and sends datagrams.
    """

    def __init__(
        self, paint: Paint = moving_street, fps: float = PAINTED_FPS, port: int = 0, *, udp: bool = False
    ) -> None:
        self._udp = udp
        self._datagrams: dict[socket.socket, tuple[str, int]] = {}
        self.stalled = threading.Event()
        self._closed = threading.Event()
        self._playing: list[socket.socket] = []
        self._rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._rtp.bind(("127.0.0.1", 0))
        self._rtp.settimeout(0.1)
        self._folder = tempfile.TemporaryDirectory()
        sdp = Path(self._folder.name) / "stream.sdp"
        target = f"rtp://127.0.0.1:{self._rtp.getsockname()[1]}"
        self._pusher = Pusher("-sdp_file", str(sdp), "-f", "rtp", target, paint=paint, fps=fps)
        self._sdp = self._described(sdp)
        self._listener = socket.create_server(("127.0.0.1", port))
        self._listener.settimeout(0.1)
        self.port = int(self._listener.getsockname()[1])
        self.url = f"rtsp://127.0.0.1:{self.port}/cam"
        for target_loop in (self._relay, self._accept):
            threading.Thread(target=target_loop, daemon=True).start()

    def hang_up(self) -> None:
        """Close the connections there are."""
        playing, self._playing = self._playing, []
        for each in playing:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._closed.set()
        self._listener.close()
        self.hang_up()
        self._pusher.close()
        self._rtp.close()
        self._folder.cleanup()

    def _described(self, sdp: Path) -> str:
        deadline = time.monotonic() + 10
        while not (sdp.exists() and "m=video" in sdp.read_text()):
            assert time.monotonic() < deadline, "ffmpeg wrote no description"
            time.sleep(0.02)
        lines = [line for line in sdp.read_text().splitlines() if not line.startswith("SDP:")]
        return "\r\n".join([*lines, "a=control:track", ""])

    def _relay(self) -> None:
        while not self._closed.is_set():
            try:
                packet = self._rtp.recv(65536)
            except OSError:
                continue
            if self.stalled.is_set():
                continue
            for client in list(self._playing):
                with contextlib.suppress(OSError):
                    if client in self._datagrams:
                        self._rtp.sendto(packet, self._datagrams[client])
                        continue
                    client.sendall(b"$\0" + len(packet).to_bytes(2, "big") + packet)

    def _accept(self) -> None:
        while not self._closed.is_set():
            with contextlib.suppress(OSError):
                client, _ = self._listener.accept()
                client.settimeout(60)
                threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), client.makefile("rb") as lines:
            while not self._closed.is_set():
                request = list(iter(lambda: lines.readline().strip().decode("latin-1"), ""))
                if not request:
                    return
                self._answer(client, request)

    def _answer(self, client: socket.socket, request: list[str]) -> None:
        method = request[0].split()[0]
        headers = dict(line.split(": ", 1) for line in request[1:] if ": " in line)
        status, more, body = "200 OK", ["Session: 1"], ""
        if method == "OPTIONS":
            more = ["Public: DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"]
        elif method == "DESCRIBE":
            more, body = ["Content-Type: application/sdp", f"Content-Length: {len(self._sdp)}"], self._sdp
        elif method == "SETUP" and not self._udp:
            more.append("Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
        elif method == "SETUP" and (wanted := re.search(r"client_port=(\d+)", headers["Transport"])):
            self._datagrams[client] = "127.0.0.1", int(wanted[1])
            ports = f"client_port={wanted[1]}-{int(wanted[1]) + 1};server_port={self._rtp.getsockname()[1]}-0"
            more.append(f"Transport: RTP/AVP/UDP;unicast;{ports}")
        elif method == "SETUP":
            status = "461 Unsupported Transport"
        answer = [f"RTSP/1.0 {status}", f"CSeq: {headers.get('CSeq', '0')}", *more, "", body]
        client.sendall("\r\n".join(answer).encode())
        if method == "PLAY":
            self._playing.append(client)
