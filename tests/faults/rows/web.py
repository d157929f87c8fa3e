"""Faults of the broker, of what it keeps, and of the page's callers."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

from tests.daemon.mqtt.mosquitto import Watcher, retained
from tests.faults.fault import Check, NotHereError, Row
from tests.faults.waiting import eventually
from tests.faults.web import Web, answering
from tests.faults.world import World

CONNECTED = b"\x20\x02\x00\x00"
REFUSED = b"\x20\x02\x00\x05"
HUGE = b"\x30\xff\xff\xff\x60" + b"\x00\x01a"
"""The head of a message of 200 MB (MQTT 3.1.1, section 2.2.3)."""


def _broken(name: str, fault: Callable[[Web], contextlib.AbstractContextManager[None]]) -> Check:
    """The broker has a fault: the page says so, and goes on; after it home automation is back."""

    def check(world: World) -> str:
        web = world.web
        if web.broker is None:
            raise NotHereError("mosquitto is not installed")
        assert eventually(web.is_connected, 20), "no connection before the fault"
        began_s = time.monotonic()
        with fault(web):
            # A broker that says nothing is noticed after twice `mqtt.keepalive_s`.
            assert eventually(lambda: not web.is_connected(), 100), "never told"
            noticed_s = time.monotonic() - began_s
            assert web.hush(), "the page did not answer meanwhile"
            assert world.await_danger(20) is not None, "no danger was said meanwhile"
        began_s = time.monotonic()
        assert eventually(web.is_connected, 40), f"not connected again: {web.status().get('mqtt')}"
        return f"told after {noticed_s:.1f} s, connected again after {time.monotonic() - began_s:.1f} s"

    return Check(f"mqtt: {name}", check)


@contextlib.contextmanager
def _killed(web: Web) -> Iterator[None]:
    assert web.broker is not None
    web.broker.stop(kill=True)
    yield
    web.broker.start()


@contextlib.contextmanager
def _stopped(web: Web) -> Iterator[None]:
    assert web.broker is not None
    web.broker.signal(signal.SIGSTOP)
    yield
    web.broker.signal(signal.SIGCONT)


def _instead(data: bytes, again: int = 1) -> Callable[[Web], contextlib.AbstractContextManager[None]]:
    """Another program at the broker's port."""

    @contextlib.contextmanager
    def fault(web: Web) -> Iterator[None]:
        assert web.broker is not None
        with _killed(web), answering(web.broker.port, data, again):
            yield

    return fault


def _kept(name: str, payload: bytes) -> Check:
    """A retained message at the place of our own announcement: the web process starts all the same."""

    def check(world: World) -> str:
        web = world.web
        if web.broker is None:
            raise NotHereError("mosquitto is not installed")
        assert eventually(web.is_connected, 20), "no connection before the fault"
        topic = next(name for name in retained(web.broker.port, "homeassistant/#") if name.endswith("config"))
        watcher = Watcher(web.broker.port)
        web.process.kill()
        web.process.wait(10)
        watcher.publish(topic, payload, retain=True)
        web.start()
        assert eventually(web.is_connected, 20), f"not connected: {web.log()}"
        port = web.broker.port
        assert eventually(lambda: retained(port, topic)[topic] != payload, 20), "not put right"
        assert web.hush()
        watcher.close()
        return "it starts, connects, and puts the announcement right"

    return Check(f"mqtt: retained announcement: {name}", check)


def _orders(world: World) -> str:
    """Orders of every kind of nonsense, kept and in floods."""
    web = world.web
    if web.broker is None:
        raise NotHereError("mosquitto is not installed")
    assert eventually(web.is_connected, 20)
    watcher = Watcher(web.broker.port)
    kept = retained(web.broker.port, "watchword/#")
    base = next(topic.removesuffix("/availability") for topic in kept if topic.endswith("/availability"))
    places = [f"{base}/set/{order}" for order in ("mute", "say", "ask", "describe", "nothing", "mute/", "")]
    payloads = (
        b"",
        b"\xff\xfe",
        b"{" * 5000,
        b"ON" * 10_000,
        "\x1b[2J\u202e".encode(),
        b"1e999",
        b'"\\ud800"',
    )
    for place in places:
        for payload in payloads:
            watcher.publish(place, payload)
    watcher.close()
    assert web.is_connected() and web.hush()
    assert world.living.status()["danger_muted_s"] == 0, "danger was silenced from outside"
    assert world.await_danger(20) is not None, "no danger was said afterwards"
    return f"{len(places) * len(payloads)} orders: connected, danger not silenced and said"


def _another_site(world: World) -> str:
    """A page of another site asks for silence as fast as it can; the owner's page must get through."""
    web = world.web
    refused = 0
    for _ in range(600):
        status, _ = web.ask("POST", "/hush", b"{}", Origin="http://evil.example", Sec_Fetch_Site="cross-site")
        refused += status in (403, 429)
    own = [web.ask("GET", "/status")[0] for _ in range(20)] + [200 * web.hush() for _ in range(10)]
    assert refused == 600, f"{600 - refused} of 600 were not refused"
    assert own.count(200) == 30, own
    return "600 of 600 refused, the owner's 30 of 30 answered"


def _foreign_name(world: World) -> str:
    statuses = [
        world.web.ask("GET", path, Host="evil.example")[0] for path in ("/", "/status", "/snapshot.jpg")
    ]
    assert all(400 <= status < 500 for status in statuses), statuses
    return f"refused: {statuses}"


def _large_bodies(world: World) -> str:
    """Settings of 3 MB, and a body that never comes."""
    many = json.dumps({"values": {f"key{n}": n for n in range(150_000)}}).encode()
    found = []
    for path, body in (
        ("/config", many),
        ("/config", b"[" * 500_000),
        ("/say", b'{"text":"' + b"a" * 3_000_000),
    ):
        with contextlib.suppress(OSError, http.client.HTTPException):  # it may hang up amid the body
            found.append(world.web.ask("POST", path, body)[0])
    assert all(400 <= status < 500 for status in found), found
    assert world.web.hush()
    assert world.await_danger(20) is not None, "no danger was said afterwards"
    return f"refused: {found}"


def _many(name: str, count: int, request: bytes, *, slow: bool = False) -> Check:
    """So many connections with this request, of which nothing is read."""

    def check(world: World) -> str:
        links = []
        for _ in range(count):
            with contextlib.suppress(OSError):
                link = socket.create_connection(("127.0.0.1", world.web.port), 2)
                link.sendall(request)
                links.append(link)
        began_s = time.monotonic()
        if slow:
            threading.Thread(target=_trickle, args=(links,), daemon=True).start()
        answered = eventually(lambda: _try_hush(world.web), 20)
        took_s = time.monotonic() - began_s
        for link in links:
            link.close()
        assert answered, "the page did not answer meanwhile"
        assert world.await_danger(20) is not None, "no danger was said meanwhile"
        return f"the page answers within {took_s:.1f} s"

    return Check(f"page: {name}", check)


def _trickle(links: list[socket.socket]) -> None:
    for _ in range(40):
        time.sleep(0.5)
        for link in links:
            with contextlib.suppress(OSError):
                link.send(b"a")


def _try_hush(web: Web) -> bool:
    with contextlib.suppress(OSError, http.client.HTTPException):
        return web.hush()
    return False


def _killed_web(world: World) -> str:
    world.web.process.kill()
    world.web.process.wait(10)
    assert world.await_danger(20) is not None, "no danger was said meanwhile"
    world.web.start()
    assert world.web.hush()
    return "danger said meanwhile; it starts again"


def _stopped_daemon(world: World) -> str:
    """The page says that the daemon does not answer."""
    world.living.signal(signal.SIGSTOP)
    began_s = time.monotonic()
    try:
        told = eventually(lambda: world.web.ask("GET", "/readyz", timeout_s=30)[0] == 503, 20)
    finally:
        world.living.signal(signal.SIGCONT)
    noticed_s = time.monotonic() - began_s
    assert told, "the page said that all is well"
    assert eventually(lambda: world.web.ask("GET", "/readyz", timeout_s=30)[0] == 200, 20), "never well again"
    assert world.await_danger(20) is not None, "no danger was said afterwards"
    return f"told after {noticed_s:.1f} s, and well again"


def _nothing_left(world: World) -> str:
    """Since the start, in every process: the hook is tried first."""
    code = "import socket\ntry: socket.getaddrinfo('x.invalid', 1)\nexcept OSError: pass"
    env = {**world.living.env, "FAULTS_LEFT": str(world.folder / "tried")}
    subprocess.run([sys.executable, "-c", code], env=env, check=True)
    assert "x.invalid" in (world.folder / "tried").read_text(), "the hook sees nothing"
    assert world.web.answers()
    assert not world.left, world.left
    assert not (world.folder / "home/intel").exists()
    return "no connection and no look-up but those to this machine"


NESTED = b'{"components":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001
GARBAGE = os.urandom(100_000)

ROWS: tuple[Row, ...] = (
    _broken("broker killed, and back", _killed),
    _broken("broker stopped", _stopped),
    _broken("garbage at its port", _instead(GARBAGE, 10)),
    _broken("accepts, then a message of 200 MB", _instead(CONNECTED + HUGE + bytes(100_000), 2000)),
    _broken("login refused", _instead(REFUSED)),
    _broken("another protocol", _instead(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
    _kept("nested 100000 deep", NESTED),
    _kept("a lone surrogate as a key", b'{"components":{"\\ud800":{"platform":"sensor"}}}'),
    _kept("a lone surrogate as a platform", b'{"components":{"a":{"platform":"\\ud800"}}}'),
    _kept("no JSON", b"\xff\xfe\x00"),
    _kept("numbers for names", b'{"components":{"a":{"platform":1e999},"b":[],"c":null}}'),
    _kept("components that are a list", b'{"components":[1,2,3]}'),
    _kept(
        "5 MB of components",
        json.dumps({"components": {f"c{n}": {"platform": "sensor"} for n in range(120_000)}}).encode(),
    ),
    Check("mqtt: orders of nonsense", _orders),
    Check("page: another site's 600 requests", _another_site),
    Check("page: a foreign host's name", _foreign_name),
    Check("page: bodies of 3 MB", _large_bodies),
    _many("300 slow clients", 300, b"GET /status HTTP/1.1\r\nX-A: ", slow=True),
    _many("40 listeners that never read", 40, b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
    _many("40 viewers that never read", 40, b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
    _many("a head of 1 MB each", 10, b"GET / HTTP/1.1\r\nX-A: " + b"a" * 1_000_000),
    Check("privacy: nothing leaves", _nothing_left),
    Check("page: its process killed", _killed_web),
    Check("page: the daemon stopped", _stopped_daemon),
)
