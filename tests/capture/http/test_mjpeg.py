"""Our own MJPEG reader against a real server: the newest picture, its age, and pictures that are none."""

from __future__ import annotations

import itertools
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import cv2
import numpy as np
import pytest

from capture.camera import CameraLost
from capture.factory import open_camera
from capture.http.mjpeg import decode_sent
from capture.orient import limit_size
from capture.settings import CaptureSettings
from tests.capture.made import street
from tests.capture.servers import tcp_server

QUICK = CaptureSettings(open_timeout_s=4, read_timeout_s=2, stall_s=1, retry_max_s=0.2)
JPEGS = [cv2.imencode(".jpg", street(i, 640, 480))[1].tobytes() for i in range(20)]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"


def part(data: bytes, *lines: str) -> bytes:
    head = ["--frame", "Content-Type: image/jpeg", f"Content-Length: {len(data)}", *lines]
    return ("\r\n".join(head) + "\r\n\r\n").encode() + data + b"\r\n"


@contextmanager
def server(parts: Callable[[], Iterator[bytes]], head: bytes = HEAD) -> Iterator[str]:
    """Sends these parts to each client; the iterator paces itself."""

    def serve(link: socket.socket) -> None:
        try:
            link.recv(65536)
            link.sendall(head)
            for data in parts():
                link.sendall(data)
        except OSError:
            pass
        finally:
            link.close()

    with tcp_server(serve) as port:
        yield f"http://127.0.0.1:{port}/x"


def paced(fps: float, make: Callable[[int], bytes]) -> Callable[[], Iterator[bytes]]:
    def parts() -> Iterator[bytes]:
        for number in itertools.count():
            yield make(number)
            time.sleep(1 / fps)

    return parts


def test_after_a_pause_the_newest_is_read_and_those_passed_over_are_counted() -> None:
    with server(paced(50, lambda n: part(JPEGS[n % 20]))) as url, closing(open_camera(url, QUICK)) as camera:
        first = camera.read()
        time.sleep(2.0)
        newest = camera.read()
        assert first is not None and newest is not None
        assert newest.seq - first.seq > 20
        assert time.monotonic() - newest.captured_at_s < 1.5


def test_pictures_that_come_ever_later_are_known_to_be_old() -> None:
    """By the camera's own clock: a network that is too slow makes a queue that we do not see."""
    began_s = time.monotonic()

    def late(n: int) -> bytes:
        taken_s = (time.monotonic() - began_s) * 0.5  # half of the time is lost on the way
        return part(JPEGS[n % 20], f"X-Timestamp: {1000 + taken_s:.3f}")

    with server(paced(20, late)) as url, closing(open_camera(url, QUICK)) as camera:
        until_s = time.monotonic() + 2.5
        while time.monotonic() < until_s:
            frame = camera.read()
        assert frame is not None
        assert 0.7 < time.monotonic() - frame.captured_at_s < 3.0


def test_half_a_picture_is_shown_and_said_to_be_damaged() -> None:
    halves = paced(20, lambda n: part(JPEGS[n % 20][: len(JPEGS[n % 20]) // 2]))
    with server(halves) as url, closing(open_camera(url, QUICK)) as camera:
        frame = camera.read()
        assert frame is not None
        assert frame.damaged
        assert frame.image[:100].std() > 10


def test_pictures_that_cannot_be_decoded_are_a_lost_camera() -> None:
    rubbish = paced(20, lambda _: part(b"\xff\xd8" + bytes(5000)))
    with (
        server(rubbish) as url,
        closing(open_camera(url, QUICK)) as camera,
        pytest.raises(CameraLost, match=r"cannot be decoded|stopped sending"),
    ):
        camera.read()


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "no such path"),
        (b"rubbish\r\n\r\n", "answers but sends no pictures"),
        (b"", "answers but sends no pictures"),
    ],
)
def test_no_stream_is_said_so_in_time(head: bytes, words: str) -> None:
    began_s = time.monotonic()
    with server(lambda: iter(()), head) as url, pytest.raises(CameraLost, match=words):
        open_camera(url, CaptureSettings(open_timeout_s=1))
    assert time.monotonic() - began_s < 5


def test_a_header_a_byte_at_a_time_does_not_hold_it_up() -> None:
    def drip() -> Iterator[bytes]:
        for _ in range(100):
            yield b"X"
            time.sleep(0.1)

    began_s = time.monotonic()
    with server(drip, b"HTTP/1.1 200 OK\r\n") as url, pytest.raises(CameraLost):
        open_camera(url, CaptureSettings(open_timeout_s=1))
    assert time.monotonic() - began_s < 5


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """The same JPEG with an EXIF tag that tells a viewer to turn it."""
    tiff = b"MM\0\x2a\0\0\0\x08\0\x01" + struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0) + b"\0\0\0\0"
    body = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_picture_much_too_large_is_reduced_while_it_is_decoded(orientation: int) -> None:
    large = np.asarray(cv2.resize(street(), (3840, 2160)), np.uint8)
    data = with_orientation(cv2.imencode(".jpg", large)[1].tobytes(), orientation)
    picture = decode_sent(data, 1280)
    assert picture is not None
    assert picture.image.shape == (1080, 1920, 3)  # half: not below what is asked for, not turned by EXIF
    assert picture.sent_size == (3840, 2160)
    settings = QUICK.model_copy(update={"max_side": 1280})
    with server(paced(10, lambda _: part(data))) as url, closing(open_camera(url, settings)) as camera:
        frame = camera.read()
    assert frame is not None and frame.image.shape == (720, 1280, 3)
    assert frame.source_size == (3840, 2160)
    whole = limit_size(large, 1280)
    assert np.abs(frame.image.astype(int) - whole).mean() < 2.0
