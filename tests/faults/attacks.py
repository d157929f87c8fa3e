"""Clients of the control socket that do harm, in a process of their own.

`python -m tests.faults.attacks NAME SOCKET` attacks, writes `ready`, and holds on until its input ends.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping


def connect(path: str, data: bytes = b"") -> socket.socket:
    link = socket.socket(socket.AF_UNIX)
    link.settimeout(2)
    link.connect(path)
    with contextlib.suppress(OSError):
        link.sendall(data)
    return link


def _garbage(path: str) -> Iterable[socket.socket]:
    for line in (
        b"\xff\xfe\x00\n",
        b"{}\n",
        b"[]\n",
        b'{"do":"x"}\n',
        b'"\\ud800"\n',
        b"1e999\n",
        b"\x00" * 900,
    ):
        yield connect(path, line)


def _nested(path: str) -> Iterable[socket.socket]:
    for depth in (100, 1000, 10_000, 100_000):
        yield connect(path, b"[" * depth + b"]" * depth + b"\n")
        yield connect(path, b'{"a":' * depth + b"1" + b"}" * depth + b"\n")


def _long_line(path: str) -> Iterable[socket.socket]:
    link = connect(path)
    with contextlib.suppress(OSError):
        for _ in range(100):
            link.sendall(b"a" * 1_000_000)
    yield link


def _silent(path: str) -> Iterable[socket.socket]:
    for _ in range(500):
        with contextlib.suppress(OSError):
            yield connect(path)


def _deaf_listeners(path: str) -> Iterable[socket.socket]:
    for _ in range(12):
        yield connect(path, b'{"v":1,"do":"events"}\n')


def _trickling(path: str) -> Iterable[socket.socket]:
    """20 connections send a byte now and then."""
    links = [connect(path, b"{") for _ in range(20)]

    def trickle() -> None:
        for _ in range(100):
            time.sleep(0.2)
            for link in links:
                with contextlib.suppress(OSError):
                    link.send(b" ")

    threading.Thread(target=trickle, daemon=True).start()
    return links


def _flood(path: str) -> Iterable[socket.socket]:
    """As many requests as can be sent in a second, by one client."""
    link = connect(path)
    until_s = time.monotonic() + 1
    with contextlib.suppress(OSError):
        while time.monotonic() < until_s:
            link.send(b'{"v":1,"do":"status"}\n' * 100)
    yield link


ATTACKS: Mapping[str, Callable[[str], Iterable[socket.socket]]] = {
    "20 connections that trickle": _trickling,
    "garbage lines": _garbage,
    "JSON nested to every depth": _nested,
    "a line of 100 MB": _long_line,
    "500 connections that say nothing": _silent,
    "12 listeners that never read": _deaf_listeners,
    "a flood of requests": _flood,
}

if __name__ == "__main__":
    links = tuple(ATTACKS[sys.argv[1]](sys.argv[2]))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
