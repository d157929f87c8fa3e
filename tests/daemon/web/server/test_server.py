"""The server against clients that reset, stall, only connect, or come in numbers."""

from __future__ import annotations

import base64
import socket
import ssl
import struct
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from daemon.config.sections import WebSettings
from daemon.web.server.connections import CONNECTIONS
from tests.daemon.web.pretending import Pretender
from tests.daemon.web.serving import Serving, own_certificate, refused

TOKEN = "0123456789abcdef-token"


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
