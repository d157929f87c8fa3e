"""Pictures from addresses: only allowed hosts, at allowed addresses."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from daemon.config.sections import WebSettings
from daemon.web.images.fetch import Fetcher, parse_target
from daemon.web.problems import Problem
from tests.daemon.web.pretending import Pretender, jpeg
from tests.daemon.web.serving import Serving


class _Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        routes: dict[str, Any] = {
            "/good.jpg": (200, {"Content-Type": "image/jpeg"}, jpeg()),
            "/jpg": (200, {"Content-Type": "image/jpg"}, jpeg()),
            "/bytes": (200, {"Content-Type": "application/octet-stream"}, jpeg()),
            "/untyped": (200, {}, jpeg()),
            "/strange": (200, {"Content-Type": "IMAGE/x-Unknown; a=b"}, jpeg()),
            "/liar": (200, {"Content-Type": "image/jpeg"}, b"<html>" + bytes(200)),
            "/archive": (200, {"Content-Type": "application/octet-stream"}, b"PK" + bytes(200)),
            "/gif": (200, {"Content-Type": "image/gif"}, b"GIF89a" + bytes(200)),
            "/text": (200, {"Content-Type": "text/plain"}, jpeg()),
            "/empty": (200, {"Content-Type": "image/jpeg"}, b""),
            "/page": (200, {"Content-Type": "text/html"}, b"<html>"),
            "/gzip": (200, {"Content-Type": "image/jpeg", "Content-Encoding": "gzip"}, b"x"),
            "/huge": (200, {"Content-Type": "image/jpeg"}, jpeg() + bytes(3_000_000)),
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


@pytest.mark.parametrize("path", ["/jpg", "/bytes", "/untyped", "/strange"])
def test_a_picture_is_known_by_its_bytes(site: ThreadingHTTPServer, path: str) -> None:
    assert fetched(site, path, Names_(["127.0.0.1"])) == jpeg()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/page", 415),
        ("/gzip", 415),
        ("/liar", 415),
        ("/archive", 415),
        ("/gif", 415),
        ("/text", 415),
        ("/empty", 415),
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
