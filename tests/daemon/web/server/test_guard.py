"""Hostile requests: the web interface refuses them, reveals nothing, and goes on serving."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from daemon.config.sections import WebSettings
from daemon.web.server.guard import UNIX, UNIX_LISTENER, Guard, client_of
from tests.daemon.web.pretending import Pretender, jpeg
from tests.daemon.web.serving import Serving, raw, refused

TOKEN = "0123456789abcdef-token"


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


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "192.168.1.9", "", "a b", "[::1"])
def test_a_name_that_was_made_to_mean_us(serving: Serving, host: str) -> None:
    answer = raw(serving, f"GET /status HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    assert answer.split(b" ")[1] in (b"421", b"400")


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


def test_another_sites_page_does_not_use_up_the_owners_requests(web: httpx.Client) -> None:
    codes = [web.post("/hush", headers={"Origin": "http://evil.example"}).status_code for _ in range(900)]
    assert set(codes) <= {403, 429}
    for _ in range(5):
        assert web.get("/healthz").status_code == 200
        assert web.post("/hush").status_code < 300


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


@pytest.mark.parametrize("server", [("127.0.0.1", 8780), ("/run/web.sock", None), None])
@pytest.mark.parametrize("client", [None, ("192.168.1.9", 5)])
def test_a_neighbour_is_only_who_the_server_says_is_one(server: Any, client: Any) -> None:
    scope = {"type": "http", "server": server, "client": client}
    assert client_of(scope) == client_of({**scope, "state": {}}) == (client[0] if client else "unknown")
    assert client_of({**scope, "client": None, "state": {UNIX_LISTENER: True}}) == UNIX


def test_a_client_without_an_address_is_refused_even_if_no_token_is_needed() -> None:
    """Its connection was reset, so nobody waits for an answer."""
    reached: list[Scope] = []
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": "/hush",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "client": None,
    }
    asyncio.run(Guard(app, WebSettings(), None, frozenset())(scope, receive, send))
    assert sent[0]["status"] == 400 and not reached
