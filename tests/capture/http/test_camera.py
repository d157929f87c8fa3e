"""What a camera sends over HTTP, told apart by real answers."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import itertools
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import cv2
import pytest

from capture.camera import CameraLost
from capture.factory import open_camera
from capture.http.mjpeg import MjpegCamera
from capture.http.snapshot import SnapshotCamera
from capture.http.stream import answer_challenge
from capture.settings import CaptureSettings
from tests.capture.cheap_cameras import cheap_bodies
from tests.capture.http.test_mjpeg import HEAD, paced, server
from tests.capture.made import street

QUICK = CaptureSettings(open_timeout_s=3, read_timeout_s=2, stall_s=1, retry_max_s=0.2)
JPEGS = [cv2.imencode(".jpg", street(seed, 160, 120))[1].tobytes() for seed in range(6)]
PNG = cv2.imencode(".png", street(0, 160, 120))[1].tobytes()
CHEAP = cheap_bodies(JPEGS)


@contextmanager
def answering(*answers: tuple[int, dict[str, str], bytes]) -> Iterator[tuple[str, list[str]]]:
    """Gives these answers in turn, the last one for ever; also the requests so far."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers.get("Authorization") or "")
            status, headers, body = answers[min(len(asked), len(answers)) - 1]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    camera = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    camera.daemon_threads = True
    threading.Thread(target=camera.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{camera.server_address[1]}/x", asked
    finally:
        camera.shutdown()
        camera.server_close()


@pytest.mark.parametrize("kind", CHEAP)
def test_a_cheap_camera_is_seen(kind: str) -> None:
    body = paced(20, lambda n: CHEAP[kind][0 if n == 0 else 1 + n % 5])
    with server(body) as url, closing(open_camera(url, QUICK)) as camera:
        first, second = camera.read(), camera.read()
        assert first is not None and second is not None
        assert first.image.shape == (120, 160, 3)
        assert not second.damaged
        assert time.monotonic() - second.captured_at_s < 1.0


@pytest.mark.parametrize(
    "said", ["image/jpeg", "video/x-motion-jpeg", "application/octet-stream", "text/plain", None]
)
@pytest.mark.parametrize("kind", ["bare", "plain", "no type"])
def test_a_stream_under_another_type(said: str | None, kind: str) -> None:
    if kind == "no type" and said == "text/plain":
        return  # nothing says that it is a stream of pictures
    head = b"HTTP/1.1 200 OK\r\n" + (f"Content-Type: {said}\r\n".encode() if said else b"") + b"\r\n"
    body = paced(20, lambda n: CHEAP[kind][n % 6])
    with server(body, head) as url, closing(open_camera(url, QUICK)) as camera:
        assert isinstance(camera, MjpegCamera)
        frame = camera.read()
        assert frame is not None
        assert time.monotonic() - frame.captured_at_s < 1.0


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize(
    ("body", "said"),
    [(JPEGS[0], "image/jpeg"), (JPEGS[0], "image/jpg"), (JPEGS[0], ""), (PNG, "application/octet-stream")],
)
def test_an_address_of_one_picture_is_asked_again_and_again(announced: bool, body: bytes, said: str) -> None:
    headers = {"Content-Length": str(len(body))} if announced else {}
    if said:
        headers["Content-Type"] = said
    with answering((200, headers, body)) as (url, asked), closing(open_camera(url, QUICK)) as camera:
        assert isinstance(camera, SnapshotCamera)
        frames = [camera.read() for _ in range(4)]
        assert [frame.seq for frame in frames if frame] == [0, 1, 2, 3]
        assert not any(frame.damaged for frame in frames if frame)
        stamps = [frame.captured_at_s for frame in frames if frame]
        assert all(0.1 < later - earlier < 2 for earlier, later in itertools.pairwise(stamps))
        assert len(asked) == 5


@pytest.mark.parametrize("kind", ["plain", "no first boundary", "no type", "length -100"])
def test_a_multipart_answer_of_one_picture_is_asked_for_again(kind: str) -> None:
    with server(lambda: iter(CHEAP[kind][:1])) as url, closing(open_camera(url, QUICK)) as camera:
        assert isinstance(camera, SnapshotCamera)
        assert all(camera.read() is not None for _ in range(3))


def test_a_camera_of_single_pictures_that_begins_to_stream_is_opened_as_a_stream() -> None:
    bodies = CHEAP["plain"]
    answers = [lambda: iter(bodies[:1])] * 2 + [paced(12, lambda n: bodies[n % len(bodies)])] * 2
    with server(lambda: answers.pop(0)()) as url:
        with closing(open_camera(url, QUICK)) as camera:
            assert isinstance(camera, SnapshotCamera)
            assert camera.read() is not None
            with pytest.raises(CameraLost, match="sends a stream"):
                camera.read()
        with closing(open_camera(url, QUICK)) as camera:
            assert isinstance(camera, MjpegCamera)


def test_a_snapshot_that_fails_once_is_asked_for_again() -> None:
    picture = (200, {"Content-Length": str(len(JPEGS[0]))}, JPEGS[0])
    with (
        answering(picture, picture, (503, {}, b""), (200, {}, b"busy"), picture) as (url, _),
        closing(open_camera(url, QUICK)) as camera,
    ):
        assert camera.read() is not None
        assert camera.read() is not None


def test_a_snapshot_that_goes_on_failing_is_a_lost_camera() -> None:
    picture = (200, {"Content-Length": str(len(JPEGS[0]))}, JPEGS[0])
    with (
        answering(picture, (503, {}, b"")) as (url, _),
        closing(open_camera(url, QUICK)) as camera,
        pytest.raises(CameraLost, match="is busy"),
    ):
        camera.read()


@pytest.mark.parametrize(
    ("status", "url_part", "words"),
    [
        (401, "", "asks for a user and password; write http://USER:PASSWORD@"),
        (401, "me:hush@", "refuses this user and password"),
        (403, "me:hush@", "give the user the right"),
        (404, "", "no such path"),
        (410, "", "no such path any more"),
        (500, "", "a fault of its own (500)"),
        (503, "", "is busy; close other programs"),
        (418, "", "status 418"),
    ],
)
def test_refusals_are_told_apart(status: int, url_part: str, words: str) -> None:
    with (
        answering((status, {"WWW-Authenticate": 'Basic realm="cam"'}, b"")) as (url, _),
        pytest.raises(CameraLost) as caught,
    ):
        open_camera(url.replace("//", f"//{url_part}"), QUICK)
    assert words in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "body"),
    [
        ("text/html; charset=utf-8", b"<!DOCTYPE html><p>Log in"),
        ("", b"\n <html><body>"),
        ("text/html", b""),
    ],
)
def test_a_web_page_is_named(said: str, body: bytes) -> None:
    with (
        answering((200, {"Content-Type": said} if said else {}, body)) as (url, _),
        pytest.raises(CameraLost, match="is a web page, no pictures"),
    ):
        open_camera(url, QUICK)


def test_a_multipart_answer_that_ends_is_a_lost_camera() -> None:
    with (
        server(lambda: iter(CHEAP["plain"]), HEAD) as url,
        closing(open_camera(url, QUICK)) as camera,
        pytest.raises(CameraLost, match="stopped sending"),
    ):
        for _ in range(10):
            camera.read()


def _response(header: str, new: Callable[[bytes], Any], method: str = "GET") -> bool:
    """True if the digest is right for the user `us er` with the password `p@ß` (RFC 7616, 3.4.1)."""
    fields = dict(re.findall(r'(\w+)="?([^",]*)"?', header))

    def digest(text: str) -> str:
        return str(new(text.encode()).hexdigest())

    secret, asked = digest(f"us er:{fields['realm']}:p@ß"), digest(f"{method}:{fields['uri']}")
    middle = ":".join(fields[key] for key in ("nonce", "nc", "cnonce", "qop"))
    return bool(fields["response"] == digest(f"{secret}:{middle}:{asked}"))


@pytest.mark.parametrize(
    ("kinds", "scheme", "new"),
    [
        (["SHA-256"], "Digest", hashlib.sha256),
        (["SHA-256", "MD5"], "Digest", hashlib.sha256),
        (["md5"], "Digest", hashlib.md5),
        (["SHA-512-256", "MD5"], "Digest", hashlib.md5),
        (["SHA-512-256", "Basic"], "Basic", None),
        (["Basic", "MD5"], "Digest", hashlib.md5),
    ],
)
def test_the_best_kind_of_password_that_is_known_is_used(
    kinds: list[str], scheme: str, new: Callable[[bytes], Any] | None
) -> None:
    challenges = [
        'Basic realm="cam"'
        if kind == "Basic"
        else f'Digest realm="cam", nonce="12", qop="auth", algorithm={kind}'
        for kind in kinds
    ]
    url = "http://us%20er:p%40%C3%9F@camera/stream?x=1"
    header = answer_challenge(url, urlsplit(url), challenges)
    assert header.startswith(scheme + " ")
    if new is not None:
        assert _response(header, new)


def test_an_unknown_kind_of_password_alone_is_told() -> None:
    url = "http://me:hush@camera/"
    with pytest.raises(http.client.HTTPException, match="unknown kind"):
        answer_challenge(url, urlsplit(url), ['Digest realm="cam", nonce="12", algorithm=SHA-512-256'])


def test_a_password_stays_with_the_camera() -> None:
    """A camera that refers to another machine, which then asks for a password, gets none to pass on."""
    again = (401, {"WWW-Authenticate": 'Basic realm="x"'}, b"")
    with answering(again) as (other, asked_other):
        away = other.replace("127.0.0.1", "localhost")
        steps = (again, (302, {"Location": away}, b""))
        with answering(*steps) as (url, asked), pytest.raises(CameraLost) as caught:
            open_camera(url.replace("://", "://me:hush@"), QUICK)
    assert asked[1].startswith("Basic ")
    assert asked_other == [""]
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("where", ["/y?name=front door", "/y?name=문"])
def test_a_redirect_may_be_written_carelessly(where: str) -> None:
    place = where.encode("utf-8").decode("latin-1")  # as a header carries it
    with (
        answering((302, {"Location": place}, b""), (200, {"Content-Type": "image/jpeg"}, JPEGS[0])) as (
            url,
            _,
        ),
        closing(open_camera(url, QUICK)) as camera,
    ):
        assert camera.read() is not None


def test_a_redirect_to_another_protocol_is_told_with_the_address() -> None:
    with (
        answering((302, {"Location": "rtsp://me:hush@camera/1"}, b"")) as (url, _),
        pytest.raises(CameraLost, match=r"redirects to rtsp://\*\*\*@camera/1; write that address"),
    ):
        open_camera(url, QUICK)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


ENCODED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "padded gzip": ("X-GZIP", lambda data: gzip.compress(data) + bytes(9)),
    "gzip of two": ("gzip", lambda data: gzip.compress(data[:50]) + gzip.compress(data[50:])),
    "deflate": ("deflate", zlib.compress),
    "bare deflate": ("deflate", raw_deflate),
    "not gzip": ("gzip", bytes),
    "not deflate": ("deflate", bytes),
    "none": ("identity", bytes),
}


@pytest.mark.parametrize("kind", ENCODED)
def test_a_single_picture_may_come_compressed(kind: str) -> None:
    name, encode = ENCODED[kind]
    body = encode(JPEGS[0])
    headers = {"Content-Type": "image/jpeg", "Content-Encoding": name, "Content-Length": str(len(body))}
    with answering((200, headers, body)) as (url, _), closing(open_camera(url, QUICK)) as camera:
        assert isinstance(camera, SnapshotCamera)
        for _ in range(2):
            frame = camera.read()
            assert frame is not None
            assert frame.image.shape == (120, 160, 3)
            assert not frame.damaged


@pytest.mark.parametrize("piece", [3, 5000])
@pytest.mark.parametrize("name", ["gzip", "deflate", "gzip each"])
def test_a_stream_may_come_compressed(name: str, piece: int) -> None:
    """Flushed after each picture; without that no reader could know of one before the next."""
    head = HEAD.replace(b"\r\n\r\n", f"\r\nContent-Encoding: {name.split()[0]}\r\n\r\n".encode())

    def body() -> Iterator[bytes]:
        packer = zlib.compressobj(wbits=31 if name == "gzip" else 15)
        for number in itertools.count():
            if name == "gzip each":
                data = gzip.compress(CHEAP["plain"][number % 6])
            else:
                data = packer.compress(CHEAP["plain"][number % 6]) + packer.flush(zlib.Z_SYNC_FLUSH)
            yield from (data[at : at + piece] for at in range(0, len(data), piece))
            time.sleep(0.05)

    with server(body, head) as url, closing(open_camera(url, QUICK)) as camera:
        assert isinstance(camera, MjpegCamera)
        for _ in range(5):
            frame = camera.read()
            assert frame is not None
            assert not frame.damaged
            assert time.monotonic() - frame.captured_at_s < 1.0


@pytest.mark.parametrize("name", ["br", "gzip, deflate"])
def test_a_compression_that_cannot_be_read_is_named_with_the_cure(name: str) -> None:
    headers = {"Content-Type": "image/jpeg", "Content-Encoding": name}
    with (
        answering((200, headers, JPEGS[0])) as (url, _),
        pytest.raises(CameraLost, match=rf"compresses its answer \({name}\).*switch compression off"),
    ):
        open_camera(url, QUICK)


def test_a_damaged_compressed_picture_is_asked_for_again() -> None:
    good = gzip.compress(JPEGS[0])
    headers = {"Content-Type": "image/jpeg", "Content-Encoding": "gzip"}
    bad = good[:100] + bytes(100) + good[200:]
    answers = [(200, headers, body) for body in (good, bad, good)]
    with answering(*answers) as (url, asked), closing(open_camera(url, QUICK)) as camera:
        assert camera.read() is not None
        assert len(asked) == 3
