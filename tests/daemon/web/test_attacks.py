"""What is done to the web interface by those who mean it ill: it refuses, tells nothing, and goes on
serving.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import ssl
import struct
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.ip_addresses import is_private_network, is_public
from common.rate_limit import MOST_CLIENTS, RateLimiter
from daemon.config.sections import WebSettings
from daemon.web.images.fetch import Fetcher, parse_target
from daemon.web.images.pictures import measure
from daemon.web.images.shrinker import Shrinker
from daemon.web.problems import Problem
from daemon.web.server.connections import CONNECTIONS
from daemon.web.server.guard import UNIX, UNIX_LISTENER, client_of
from daemon.web.server.origin import HostNames, is_cross_site
from daemon.web.server.sessions import Sessions, Token
from tests.daemon.web.pretending import Pretender, jpeg
from tests.daemon.web.serving import Serving, own_certificate

TOKEN = "0123456789abcdef-token"
LEAKS = ("Traceback", "site-packages", "/daemon/", "/home", "/root", 'File "')


@pytest.fixture
def web(serving: Serving) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=serving.address, timeout=30, trust_env=False) as client:
        yield client
        assert client.get("/healthz").status_code == 200  # whatever was done, it goes on


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


# --- pictures


def png(width: int, height: int, rows: bytes) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def claiming(picture: bytes, width: int, height: int) -> bytes:
    """A JPEG whose header tells another size."""
    at = picture.index(b"\xff\xc0")
    return picture[: at + 5] + struct.pack(">HH", height, width) + picture[at + 9 :]


BOMBS = {
    "png of 2.5 thousand million pixels": png(50_000, 50_000, zlib.compress(bytes(1_000_000), 9)),
    "png of the largest size": png(2**31 - 1, 2**31 - 1, b""),
    "jpeg of 65500x65500": claiming(jpeg(), 65500, 65500),
    "webp of 16383x16383": b"RIFF\x40\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xfe\x3f\0\xfe\x3f\0" + bytes(40),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_bombs_are_known_by_their_header(web: httpx.Client, bomb: bytes) -> None:
    refused(web.post("/process", files={"image": bomb}), 413)


BROKEN = {
    "png within bounds, without its rows": png(3000, 3000, zlib.compress(bytes(1000))),
    "png whose rows never end": png(100, 100, zlib.compress(bytes(40_000_000), 9)),
    "png cut short": cv2.imencode(".png", np.zeros((99, 99, 3), np.uint8))[1].tobytes()[:-40],
    "jpeg that claims to be larger": claiming(jpeg(), 7000, 7000),
    "jpeg without anything": b"\xff\xd8\xff\xc0\0\x11\x08" + struct.pack(">HH", 5000, 5000) + bytes(90),
    "noise after a png's head": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4,
    "noise after a webp's head": b"RIFF\xff\xff\xff\xffWEBPVP8 " + bytes(range(256)),
}


@pytest.mark.parametrize("picture", BROKEN.values(), ids=BROKEN.keys())
def test_broken_pictures_break_nothing(web: httpx.Client, picture: bytes) -> None:
    """A decoder may make something of it; then it is small and new."""
    answer = web.post("/process", files={"image": picture})
    if answer.status_code != 200:
        refused(answer, 422)
    assert web.post("/process", files={"image": jpeg()}).status_code == 200


@given(st.binary(max_size=200), st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP"]))
def test_any_header_is_measured_or_refused(rest: bytes, start: bytes) -> None:
    try:
        found = measure(start + rest, 1e6)
    except Problem as problem:
        assert problem.status_code in (413, 415, 422)
    else:
        assert found.width * found.height <= 1e6 and min(found.width, found.height) >= 1


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@given(width=st.integers(1, 90), height=st.integers(1, 90))
def test_sizes_are_read_as_they_are(suffix: str, width: int, height: int) -> None:
    found = measure(cv2.imencode(suffix, np.zeros((height, width, 3), np.uint8))[1].tobytes(), 1e6)
    assert (found.width, found.height) == (width, height)


def test_a_decoder_that_dies_or_hangs_is_replaced() -> None:
    async def scenario() -> None:
        shrinker = Shrinker(50e6, time_s=30)
        try:
            assert (await shrinker.shrink(jpeg())).startswith(b"\xff\xd8")
            child = shrinker._child  # the victim
            assert child is not None
            os.kill(child.pid, 19)  # stopped, as a hanging decoder
            shrinker._time_s = 0.5
            with pytest.raises(Problem) as caught:
                await shrinker.shrink(jpeg())
            assert caught.value.status_code == 422
            shrinker._time_s = 30
            assert (await shrinker.shrink(jpeg())).startswith(b"\xff\xd8")
        finally:
            await shrinker.close()

    asyncio.run(scenario())


# --- bodies, addresses, headers


def test_bodies_that_are_too_large(web: httpx.Client, serving: Serving) -> None:
    refused(web.post("/say", json={"text": "x" * 70_000}), 413)
    answer = raw(serving, b"POST /process HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n")
    assert b" 413 " in answer.split(b"\r\n")[0]  # before anything of it was sent

    def endless() -> Iterator[bytes]:
        yield from (b"x" * 65536 for _ in range(1000))

    try:
        answer2 = web.post("/process", content=endless(), headers={"Content-Type": "application/json"})
    except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        return  # hung up on while it was still sending
    refused(answer2, 413)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"[" * 30_000),
        ("application/json", b"\xff\xfe\0"),
        ("application/json", b'{"image": {"a": 1}}'),
        ("application/json", b"null"),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=image\r\n\r\n"),
        ("application/x-www-form-urlencoded", b"image=%00%ff&objects=" + b"," * 5000),
        ("text/xml", b"<!DOCTYPE x>"),
    ],
)
def test_bodies_that_make_no_sense(web: httpx.Client, kind: str, body: bytes) -> None:
    refused(web.post("/process", content=body, headers={"Content-Type": kind}), 400, 415, 422)


@pytest.mark.parametrize(
    "path",
    [
        "/../settings.py",
        "/js/../../command.py",
        "/%2e%2e/app.py",
        "/js/%2e%2e%2f%2e%2e%2fapp.py",
        "/..%5capp.py",
        "//etc/passwd",
        "/index.html%00.js",
        "/journal/../../etc/passwd/snapshot.jpg",
        "/journal/-1/snapshot.jpg",
        "/journal/99999999999999999999999/snapshot.jpg",
    ],
)
def test_no_file_but_the_pages_own(serving: Serving, path: str) -> None:
    answer = raw(serving, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert answer.split(b" ")[1] in (b"404", b"422"), answer[:200]
    assert b"root:" not in answer and b"import" not in answer


@pytest.mark.parametrize(
    "request_",
    [
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST /say HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"
        b"Connection: close\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: " + b"x" * 40_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    ],
)
def test_requests_that_are_none(serving: Serving, request_: bytes) -> None:
    answer = raw(serving, request_)
    assert answer == b"" or answer.split(b" ")[1][:1] == b"4", answer[:200]


# --- other sites, and those without a token


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "192.168.1.9", "", "a b", "[::1"])
def test_a_name_that_was_made_to_mean_us(serving: Serving, host: str) -> None:
    answer = raw(serving, f"GET /status HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    assert answer.split(b" ")[1] in (b"421", b"400")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:1", "[::1]:8780", "127.9.9.9"])
def test_our_own_names(host: str) -> None:
    assert HostNames("127.0.0.1", ()).contains(host)


def test_names_at_an_address_that_others_reach() -> None:
    names = HostNames("0.0.0.0", ("Box.local.",))
    assert (
        names.contains("192.168.1.9:8780")
        and names.contains("box.local")
        and not names.contains("evil.example")
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_sites_page_may_order_nothing(web: httpx.Client, headers: dict[str, str]) -> None:
    refused(web.post("/hush", headers=headers), 403)


def test_another_sites_page_may_not_embed_but_link() -> None:
    assert is_cross_site("GET", "http", "localhost", None, "cross-site", "no-cors")
    assert not is_cross_site("GET", "http", "localhost", None, "cross-site", "navigate")
    assert not is_cross_site("POST", "http", "localhost:1", "http://localhost:1", "same-origin", "cors")
    assert not is_cross_site("POST", "http", "localhost", None, None, None)


def test_there_is_no_cors(web: httpx.Client) -> None:
    answer = web.get("/status", headers={"Origin": "http://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_the_token_opens_and_nothing_else_does(folder: Path, pretender: Pretender) -> None:
    with (
        Serving(folder / "watchword.sock", token=TOKEN) as locked,
        httpx.Client(base_url=locked.address, trust_env=False) as client,
    ):
        assert client.get("/healthz").status_code == 200
        assert client.get("/").status_code in (200, 404)  # the page asks for the token itself
        refused(client.get("/status"), 401)
        refused(client.get("/snapshot.jpg", headers={"Cookie": "watchword_web=guess"}), 401)
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert client.get("/status", headers=bearer).status_code == 200
        shown = client.post("/login", json={"token": TOKEN})
        assert shown.status_code == 204
        cookie = shown.headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=strict" in cookie
        assert client.get("/status").status_code == 200
        assert client.post("/logout").status_code == 204
        client.cookies.clear()
        refused(client.get("/status", headers={"Cookie": shown.headers["set-cookie"].split(";")[0]}), 401)
        for _ in range(5):
            refused(client.post("/login", json={"token": "wrong"}), 401, 429)
        refused(client.post("/login", json={"token": TOKEN}), 429)


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("GET", "/scores?since_s=nan", None),
        ("GET", "/scores?since_s=inf", None),
        ("POST", "/config", '{"values": {"a": %s}}' % ("[" * 300 + "]" * 300)),
        ("GET", "/journal?before=99999999999999999999", None),
        ("POST", "/config", '{"values": {"watch": ' + '{"a": ' * 300 + "1" + "}" * 300 + "}}"),
        ("POST", "/process", json.dumps({"image": base64.b64encode(jpeg()).decode(), "objects": ["\ud800"]})),
    ],
)
def test_values_that_nobody_can_take(web: httpx.Client, method: str, path: str, sent: str | None) -> None:
    refused(web.request(method, path, content=sent, headers={"Content-Type": "application/json"}), 400, 422)


@pytest.mark.parametrize("tls", [False, True])
def test_one_who_resets_at_once_is_no_neighbour(folder: Path, pretender: Pretender, tls: bool) -> None:
    """Of a connection that was reset nobody knows the address; that of a unix socket there is none."""
    order = b'{"seconds": 600}'
    request = b"POST /mute HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    request += b"Content-Length: %d\r\n\r\n" % len(order) + order
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    certificate = own_certificate(folder) if tls else None
    control = folder / "watchword.sock"
    with Serving(control, token=TOKEN, certificate=certificate) as locked:
        for _ in range(100):
            link = socket.create_connection(("127.0.0.1", locked.port), 10)
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if tls:
                link = trusting.wrap_socket(link)
            link.sendall(request)
            link.close()
        url = f"{'https' if tls else 'http'}://127.0.0.1:{locked.port}"
        with httpx.Client(base_url=url, verify=trusting, trust_env=False, timeout=30) as client:
            refused(client.post("/mute", json={"seconds": 600}), 401)
            assert client.get("/healthz").status_code == 200
    assert not [command for command in pretender.asked if command.do == "mute"]


@pytest.mark.parametrize("server", [("127.0.0.1", 8780), ("/run/web.sock", None), None])
@pytest.mark.parametrize("client", [None, ("192.168.1.9", 5)])
def test_a_neighbour_is_only_who_the_server_says_is_one(server: Any, client: Any) -> None:
    scope = {"type": "http", "server": server, "client": client}
    assert client_of(scope) == client_of({**scope, "state": {}}) == (client[0] if client else "unknown")
    assert client_of({**scope, "client": None, "state": {UNIX_LISTENER: True}}) == UNIX


def test_many_that_only_connect_are_counted_before_tls(folder: Path, pretender: Pretender) -> None:
    with (
        Serving(folder / "watchword.sock", certificate=own_certificate(folder)) as web,
        ExitStack() as stack,
    ):
        for _ in range(CONNECTIONS):
            stack.enter_context(socket.create_connection(("127.0.0.1", web.port), 10))
        late = stack.enter_context(socket.create_connection(("127.0.0.1", web.port), 10))
        late.settimeout(5)  # less than a handshake may take
        assert late.recv(10) == b""


@given(st.text(max_size=60))
def test_no_other_token_fits(shown: str) -> None:
    assert Token(TOKEN).matches(shown) == (shown == TOKEN)


def test_sessions_end_and_are_few() -> None:
    sessions = Sessions(most=2, idle_s=10)
    first, second, third = (sessions.open(0.0) for _ in range(3))
    assert not sessions.renew(first, 1.0) and sessions.renew(second, 9.0) and sessions.renew(second, 18.0)
    assert not sessions.renew(third, 18.0)
    sessions.close(second)
    assert not sessions.renew(second, 18.0)


@given(st.lists(st.floats(0, 5), max_size=80))
def test_no_client_gets_more_than_its_share(waits: list[float]) -> None:
    buckets, now, taken = RateLimiter(2.0, 5.0), 0.0, 0
    for wait_s in waits:
        now += wait_s
        taken += buckets.take("a", now) == 0.0
    assert taken <= 5.0 + 2.0 * now + 1e-6


def test_many_clients_fill_no_memory() -> None:
    buckets = RateLimiter(1.0, 1.0)
    for number in range(3 * MOST_CLIENTS):
        buckets.take(str(number), 0.0)
    assert len(buckets._buckets) == MOST_CLIENTS


# --- many, and slow ones


def test_two_hundred_at_once(folder: Path, pretender: Pretender) -> None:
    """Each is answered: well, or told to come again."""
    few = WebSettings(requests_per_s=50, requests_at_once=8)
    bounds = httpx.Limits(max_connections=200)
    with (
        Serving(folder / "watchword.sock", few) as small,
        httpx.Client(base_url=small.address, timeout=30, trust_env=False, limits=bounds) as client,
    ):

        def one(number: int) -> int:
            path = ("/status", "/scores", "/snapshot.jpg", "/journal")[number % 4]
            answer = client.get(path)
            if answer.status_code != 200:
                refused(answer, 429, 503)
                assert int(answer.headers["retry-after"]) >= 1
            return answer.status_code

        with ThreadPoolExecutor(40) as pool:
            statuses = Counter(pool.map(one, range(200)))
        assert statuses[200] and statuses.keys() <= {200, 429, 503}


def test_slow_clients_are_let_go_and_hold_up_nobody(
    folder: Path, pretender: Pretender, web: httpx.Client, serving: Serving
) -> None:
    links = []
    for number in range(60):
        link = socket.create_connection(("127.0.0.1", serving.port), 5)
        head = b"GET /status HTTP/1.1\r\nHost: localhost\r\nX-Slow: " if number % 2 else b"G"
        link.sendall(head)
        links.append(link)
    assert web.get("/status").status_code == 200
    for link in links:
        link.close()


def test_headers_that_never_end_and_answers_that_nobody_takes(folder: Path, pretender: Pretender) -> None:
    """With the web interface's time limits made short."""
    noise = np.random.default_rng(1).integers(0, 255, (900, 1200, 3), np.uint8)
    large = base64.b64encode(cv2.imencode(".jpg", noise)[1].tobytes()).decode()
    pretender.say["picture"] = lambda _, command: {"seq": (command.after or 0) + 1, "jpeg": large}
    with Serving(folder / "watchword.sock", headers_s=0.3, stall_s=0.3) as hasty:
        with socket.create_connection(("127.0.0.1", hasty.port), 10) as link:
            link.sendall(b"GET /status HTTP/1.1\r\nHost: localhost\r\n")
            assert link.recv(1000) == b""
        with socket.create_connection(("127.0.0.1", hasty.port), 10) as link:
            link.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert link.recv(10)  # and then nothing is read any more
            until_s = time.monotonic() + 20
            while hasty.viewers() and time.monotonic() < until_s:
                time.sleep(0.05)
            assert hasty.viewers() == 0
    pretender.say.clear()


# --- pictures from addresses


class _Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        routes: dict[str, Any] = {
            "/good.jpg": (200, {"Content-Type": "image/jpeg"}, jpeg()),
            "/page": (200, {"Content-Type": "text/html"}, b"<html>"),
            "/gzip": (200, {"Content-Type": "image/jpeg", "Content-Encoding": "gzip"}, b"x"),
            "/huge": (200, {"Content-Type": "image/jpeg"}, bytes(3_000_000)),
            "/near": (302, {"Location": "/good.jpg"}, b""),
            "/away": (302, {"Location": "http://169.254.169.254/latest/meta-data"}, b""),
            "/other": (302, {"Location": "http://other.example/x.jpg"}, b""),
            "/file": (302, {"Location": "file:///etc/passwd"}, b""),
            "/loop": (302, {"Location": "/loop"}, b""),
        }
        status, headers, body = routes.get(self.path, (404, {}, b""))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.server.hosts.append(self.headers["Host"])  # type: ignore[attr-defined]

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def site() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    server.hosts = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


class Names_:  # noqa: N801
    """A resolver that answers as told, another thing each time where a list is given."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def fetched(site: ThreadingHTTPServer, path: str, names: Names_, near: bool = True) -> bytes | int:
    host = f"camera.example:{site.server_port}"
    settings = WebSettings(url_hosts=(host,), url_private_hosts=(host,) if near else (), largest_body_mb=2.0)
    try:
        return asyncio.run(Fetcher(settings, names).fetch(f"http://{host}{path}"))
    except Problem as problem:
        return problem.status_code


def test_a_named_host_may_be_asked(site: ThreadingHTTPServer) -> None:
    names = Names_(["127.0.0.1"])
    assert fetched(site, "/good.jpg", names) == jpeg()
    assert site.hosts[-1] == f"camera.example:{site.server_port}"  # type: ignore[attr-defined]
    assert fetched(site, "/near", names) == jpeg()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/page", 415),
        ("/gzip", 415),
        ("/huge", 413),
        ("/away", 403),
        ("/other", 403),
        ("/file", 422),
        ("/loop", 422),
        ("/missing", 422),
    ],
)
def test_what_is_there_may_be_wrong(site: ThreadingHTTPServer, path: str, status: int) -> None:
    assert fetched(site, path, Names_(["127.0.0.1"])) == status


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["8.8.8.8", "192.168.0.1"],
        ["169.254.169.254"],
    ],
)
def test_a_name_may_mean_nothing_private(site: ThreadingHTTPServer, addresses: list[str]) -> None:
    assert fetched(site, "/good.jpg", Names_(addresses), near=False) == 403


def test_a_name_that_changes_its_meaning_is_asked_once(site: ThreadingHTTPServer) -> None:
    names = Names_(["127.0.0.1"], ["169.254.169.254"])
    assert fetched(site, "/good.jpg", names) == jpeg()
    assert names.asked == ["camera.example"]
    assert fetched(site, "/good.jpg", Names_(["169.254.169.254"])) == 403  # not even for a host of the home


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "127.0.0.1",
        "10.1.1.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1",
    ],
)
def test_addresses_that_are_nobodys_on_the_internet(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111"])
def test_addresses_that_are_somebodys(address: str) -> None:
    assert is_public(ip_address(address)) and not is_private_network(ip_address(address))


@pytest.mark.parametrize("address", ["169.254.169.254", "0.0.0.0", "224.0.0.1", "fe80::1", "::"])
def test_what_not_even_a_host_of_the_home_may_be(address: str) -> None:
    assert not is_private_network(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://a/b",
        "gopher://a",
        "http://",
        "http://user@host/",
        "http://a\\b/",
        "http://a b/",
        "http://[::1",
        "http://a:99999/",
        "http://ｅｖｉｌ/",
        "http://a/" + "x" * 3000,
        "http://fe80::1%25eth0/",
    ],
)
def test_addresses_that_cannot_be_read(url: str) -> None:
    with pytest.raises(Problem):
        parse_target(url)


def test_nothing_is_fetched_unless_it_is_named() -> None:
    for settings in (WebSettings(), WebSettings(url_hosts=("a.example",))):
        with pytest.raises(Problem) as caught:
            asyncio.run(Fetcher(settings, Names_(["8.8.8.8"])).fetch("http://b.example/x.jpg"))
        assert caught.value.status_code == 403


def test_a_picture_by_its_address(folder: Path, pretender: Pretender, site: ThreadingHTTPServer) -> None:
    host = f"127.0.0.1:{site.server_port}"
    settings = WebSettings(url_hosts=(host,), url_private_hosts=(host,))
    url = f"http://{host}/good.jpg"
    with (
        Serving(folder / "watchword.sock", settings) as web,
        httpx.Client(base_url=web.address, timeout=30, trust_env=False) as client,
    ):
        assert client.post("/process", json={"image": url}).json()["text"] == "64x32"
        assert client.post("/process", data={"image": url}).json()["text"] == "64x32"
