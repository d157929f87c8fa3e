"""Lines over a socket, of bounded length, with the socket's timeout."""

from __future__ import annotations

import socket
import time

CHUNK = 64 * 1024


class LineTooLong(Exception):
    """The peer sends a longer line than allowed; the connection cannot be used any more."""


class LineReader:
    """Reads lines; bytes received before a timeout are kept for the next call."""

    def __init__(self, link: socket.socket, longest: int) -> None:
        self._link = link
        self._longest = longest
        self._buffer = bytearray()
        self._searched = 0

    def read(self, first_s: float | None = None, whole_s: float | None = None) -> bytes | None:
        """The next line without its end; None if the other side has closed the connection.

        Its first byte must come within `first_s`, all of it within `whole_s` from then on. By default the
        socket's own timeout holds, for each piece.

        Raises TimeoutError, LineTooLong, OSError.
        """
        deadline_s = None
        if first_s is not None:
            self._link.settimeout(first_s)
        while (end := self._buffer.find(b"\n", self._searched)) < 0:
            # Only new bytes are searched next time: a long line in many pieces would otherwise cost its
            # square.
            self._searched = len(self._buffer)
            if self._searched > self._longest:
                raise LineTooLong
            if whole_s is not None and self._buffer:
                # From the first byte on; set once.
                deadline_s = deadline_s or time.monotonic() + whole_s
                if (left_s := deadline_s - time.monotonic()) <= 0:
                    raise TimeoutError("a line has not ended in time")
                self._link.settimeout(left_s)
            chunk = self._link.recv(CHUNK)
            if not chunk:
                return None
            self._buffer += chunk
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._searched = 0
        # The last piece may have brought the line's end and too many bytes at once.
        if len(line) > self._longest:
            raise LineTooLong
        return line
