"""What an RTSP server answers, told apart; real sockets."""

from __future__ import annotations

import contextlib
import hashlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import cv2
import pytest

from capture.camera import CameraLost
from capture.factory import open_camera
from capture.http.snapshot import SnapshotCamera
from capture.settings import CaptureSettings
from tests.capture.made import street
from tests.capture.servers import tcp_server

QUICK = CaptureSettings(open_timeout_s=1, read_timeout_s=1, stall_s=1)
Answer = Callable[[str], str]
"""The answer's status line and headers to a request."""


@contextmanager
def rtsp(answer: Answer) -> Iterator[int]:
    def serve(link: socket.socket) -> None:
        with link, contextlib.suppress(OSError):
            while request := link.recv(65536).decode():
                number = re.search(r"CSeq: (\d+)", request)
                link.sendall(f"{answer(request)}\r\nCSeq: {number[1] if number else 0}\r\n\r\n".encode())

    with tcp_server(serve) as port:
        yield port


def refusal(answer: Answer, user: str = "") -> str:
    with rtsp(answer) as port, pytest.raises(CameraLost) as caught:
        open_camera(f"rtsp://{user}127.0.0.1:{port}/cam", QUICK)
    assert "hush" not in str(caught.value)
    return str(caught.value)


def digest(password: str) -> Answer:
    """Lets in only this password (RFC 2617, without qop)."""

    def answer(request: str) -> str:
        fields = dict(re.findall(r'(\w+)="([^"]*)"', request))
        md5 = [
            hashlib.md5(text.encode()).hexdigest()
            for text in (f"me:cam:{password}", f"{request.split()[0]}:{fields.get('uri', '')}")
        ]
        right = hashlib.md5(f"{md5[0]}:1234:{md5[1]}".encode()).hexdigest()
        if fields.get("response") == right:
            return "RTSP/1.0 404 Not Found"
        return 'RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm="cam", nonce="1234"'

    return answer


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("RTSP/1.0 401 Unauthorized", "asks for a user and password; write rtsp://USER:PASSWORD@"),
        ("RTSP/1.0 403 Forbidden", "give the user the right"),
        ("RTSP/1.0 404 Not Found", "no such path"),
        ("RTSP/1.0 453 Not Enough Bandwidth", "too many viewers"),
        ("RTSP/1.0 461 Unsupported Transport", "allow TCP or UDP"),
        ("RTSP/1.0 503 Service Unavailable", "is busy"),
        ("RTSP/1.0 500 Internal Server Error", "fault of its own"),
        ("RTSP/1.0 200 OK", "sends no pictures over TCP or UDP"),
        ("HTTP/1.1 400 Bad Request", "is a web server, not an RTSP one"),
        ("SSH-2.0-OpenSSH", "answers but sends no pictures"),
    ],
)
def test_statuses_are_told_apart(status: str, words: str) -> None:
    assert words in refusal(lambda _: status)


def test_a_wrong_password_is_told_from_a_wrong_path() -> None:
    assert "refuses this user and password" in refusal(digest("right"), "me:hush@")
    assert "no such path" in refusal(digest("hush"), "me:hush@")
    basic = 'RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm="cam"'
    assert "refuses this user and password" in refusal(lambda _: basic, "me:hush@")


@pytest.mark.parametrize(
    ("scheme", "begun"),
    [
        ("rtsp", b"RTSP/1.0 200 OK\r\nX: "),
        ("http", b"HTTP/1.1 200 OK\r\nX: "),
        ("http", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;"),
    ],
)
def test_an_answer_that_trickles_without_end_is_given_up(scheme: str, begun: bytes) -> None:
    over = threading.Event()

    def trickle(link: socket.socket) -> None:
        with link, contextlib.suppress(OSError):
            link.recv(65536)
            link.sendall(begun)
            while not over.wait(0.2):
                link.sendall(b"a")

    # In a thread: without its limit it goes on for hours.
    refusals: list[str] = []

    def call() -> None:
        with pytest.raises(CameraLost) as caught:
            open_camera(f"{scheme}://127.0.0.1:{port}/cam", QUICK)
        refusals.append(str(caught.value))

    with tcp_server(trickle) as port:
        calling = threading.Thread(target=call, daemon=True)
        calling.start()
        calling.join(12)
        over.set()
    assert refusals


def test_a_picture_that_trickles_without_end_is_given_up() -> None:
    over = threading.Event()
    asked: list[bytes] = []
    jpeg = cv2.imencode(".jpg", street(0, 160, 120))[1].tobytes()

    def serve(link: socket.socket) -> None:
        with link, contextlib.suppress(OSError):
            asked.append(link.recv(65536))
            if len(asked) == 1:
                head = f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                link.sendall(head.encode() + jpeg)
                return
            link.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;")
            while not over.wait(0.2):
                link.sendall(b"a")

    lost: list[CameraLost] = []

    def read() -> None:
        with pytest.raises(CameraLost) as caught:
            camera.read()
        lost.append(caught.value)

    with (
        tcp_server(serve) as port,
        contextlib.closing(open_camera(f"http://127.0.0.1:{port}/cam", QUICK)) as camera,
    ):
        assert isinstance(camera, SnapshotCamera)
        reading = threading.Thread(target=read, daemon=True)
        reading.start()
        reading.join(8)
        over.set()
    assert lost
