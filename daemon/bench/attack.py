"""Sends hostile requests to the web interface as fast as a low-priority process can, for `bench web`.

`python -m daemon.bench.attack PORT SECONDS` prints how many answers there were of each status, as JSON.
"""

from __future__ import annotations

import http.client
import json
import socket
import struct
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress

from common.own_process import lower_priority

CLIENTS = 12
SLOW = 40
"""Connections that begin a request and never end it."""
PATHS = ("/snapshot.jpg", "/status", "/scores", "/journal?limit=500", "/config", "/metrics", "/why", "/x")
TIMEOUT_S = 10.0


# A PNG of 49 million pixels in some 140 kB: a server that decodes it unchecked needs 147 MB.
def _bomb() -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        # A chunk of a PNG: length, name, data, CRC-32 of name and data.
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 7000, 7000, 8, 2, 0, 0, 0))
    # 21,001 bytes a row: one for the filter and three for each of the 7000 pixels.
    rows = chunk(b"IDAT", zlib.compress(bytes(7000 * 21001), 9))
    return b"\x89PNG\r\n\x1a\n" + head + rows + chunk(b"IEND", b"")


BODIES: tuple[tuple[str, str, bytes], ...] = (
    ("/process", "application/x-www-form-urlencoded", b"image=" + b"A" * 2_000_000),
    ("/say", "application/json", b"[" * 60_000),
    ("/try", "application/json", b'{"thresholds": {"vehicle": 0.9}}'),
    ("/process", "multipart/form-data; boundary=x", b""),
)


def main() -> int:
    port, seconds = int(sys.argv[1]), float(sys.argv[2])
    # An attacker on another machine would take no processor time from the daemon either.
    lower_priority()
    until_s = time.monotonic() + seconds
    counts: Counter[str] = Counter()
    bomb = (
        b'--x\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n'
        + _bomb()
        + b"\r\n--x--\r\n"
    )
    threads = [
        threading.Thread(target=_client, args=(port, number, until_s, bomb, counts), daemon=True)
        for number in range(CLIENTS)
    ]
    slow = _slow(port)
    for thread in threads:
        thread.start()
    for thread in threads:
        # Two timeouts more: a request that began in the last moment may use both.
        thread.join(seconds + 2 * TIMEOUT_S)
    for link in slow:
        link.close()
    sys.stdout.write(f"{json.dumps(counts)}\n")
    return 0


def _client(port: int, number: int, until_s: float, bomb: bytes, counts: Counter[str]) -> None:
    turn = number
    while time.monotonic() < until_s:
        turn += 1
        try:
            counts[str(_turn(port, turn, bomb))] += 1
        except (OSError, http.client.HTTPException):
            # A refused or closed connection is a fair answer to an attack, so it is counted and not raised.
            counts["hung up on"] += 1


def _turn(port: int, turn: int, bomb: bytes) -> int:
    """Three questions, then a body that is meant to hurt."""
    if turn % 4:
        return _answer(port, "GET", PATHS[turn % len(PATHS)], b"", {})
    # The second rotation is slower by four, so that every body follows every path.
    path, kind, body = BODIES[turn // 4 % len(BODIES)]
    return _answer(port, "POST", path, body or bomb, {"Content-Type": kind})


def _answer(port: int, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> int:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        link.request(method, path, body or None, dict(headers))
        answer = link.getresponse()
        answer.read()
        return answer.status
    finally:
        link.close()


def _slow(port: int) -> list[socket.socket]:
    links = []
    for _ in range(SLOW):
        with suppress(OSError):
            link = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
            # Ends in the middle of a header: the server has to close these connections itself.
            link.sendall(b"POST /say HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            links.append(link)
    return links


if __name__ == "__main__":
    sys.exit(main())
