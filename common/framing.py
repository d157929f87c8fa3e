"""Messages between a process and its child: a JSON header and raw bytes, each with its length. No pickle."""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import Any

LENGTHS = struct.Struct(">II")
"""Bytes of the header, bytes of the payload."""
LIMIT = 256 * 2**20
"""Bytes a part of a message may have at most; more means the stream is out of step."""


class ConnectionLost(Exception):
    """The other side is gone, or talks nonsense."""


def encode(header: dict[str, Any], payload: bytes = b"") -> bytes:
    """One message as it is written."""
    head = json.dumps(header).encode()
    return LENGTHS.pack(len(head), len(payload)) + head + payload


def send(link: socket.socket, header: dict[str, Any], payload: bytes = b"") -> None:
    """Write one message. Raises ConnectionLost, or TimeoutError by the socket's own timeout."""
    try:
        link.sendall(encode(header, payload))
    except TimeoutError:
        raise
    except OSError as error:
        raise ConnectionLost(str(error)) from error


def receive(link: socket.socket, timeout_s: float | None = None) -> tuple[dict[str, Any], bytes]:
    """Read one message. Raises ConnectionLost, or TimeoutError when it is not complete in time."""
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    lengths = LENGTHS.unpack(_exactly(link, LENGTHS.size, deadline))
    # Checked before anything is allocated: four bad bytes could otherwise ask for 4 GB.
    if max(lengths) > LIMIT:
        raise ConnectionLost("a message is longer than any can be")
    head, payload = (_exactly(link, length, deadline) for length in lengths)
    try:
        header = json.loads(head)
    except ValueError as error:
        raise ConnectionLost("a message is not JSON") from error
    if not isinstance(header, dict):
        raise ConnectionLost("a message has no header")
    return header, payload


def _exactly(link: socket.socket, length: int, deadline: float | None) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        if deadline is not None:
            # The whole message has one deadline; not 0, which would make the socket non-blocking.
            link.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            part = link.recv(min(length - len(parts), 2**20))
        except TimeoutError:
            raise
        except OSError as error:
            raise ConnectionLost(str(error)) from error
        if not part:
            raise ConnectionLost("the connection was closed")
        parts += part
    return bytes(parts)
