"""What systemd would hear: a datagram socket, as the service manager has one."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE_S = 10.0


class Ear:
    """Messages in the order they came."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(PATIENCE_S)
        self._socket.bind(f"\0{name[1:]}" if name.startswith("@") else name)

    def hear(self) -> list[str]:
        """The lines of the next message."""
        return self._socket.recv(4096).decode().split("\n")

    def silent(self) -> bool:
        """Whether nothing has come; what was sent before is here at once."""
        self._socket.setblocking(False)
        try:
            self._socket.recv(4096)
        except BlockingIOError:
            return True
        finally:
            self._socket.settimeout(PATIENCE_S)
        return False

    def close(self) -> None:
        self._socket.close()


@contextmanager
def listening(folder: Path | None = None) -> Iterator[Ear]:
    """In a folder, else under an abstract name."""
    name = str(folder / "notify") if folder else f"@watchword-test-{os.getpid()}-{secrets.token_hex(4)}"
    ear = Ear(name)
    try:
        yield ear
    finally:
        ear.close()
