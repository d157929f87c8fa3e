"""Splits `multipart/x-mixed-replace` (RFC 2046, as cameras send it) into pictures. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from common.image_header import is_truncated

MAX_PART_BYTES = 64_000_000
"""A picture with more bytes is rubbish: 120 million pixels are about 40 MB as JPEG."""
_MAX_HEAD_BYTES = 16_384
_END_OF_IMAGE = b"\xff\xd9"


@dataclass(frozen=True, slots=True)
class SentPicture:
    """One picture as it was sent."""

    data: bytes
    sent_s: float | None
    """The camera's own time in seconds (header `X-Timestamp`), or None."""

    @property
    def damaged(self) -> bool:
        """True if the end of the picture is missing; decoders fill in the rest and report nothing."""
        return is_truncated(self.data)


class MultipartSplitter:
    """Takes bytes as they come, returns the parts that are complete.

    A part ends at the next boundary. A `Content-Length` ends it earlier, so that it need not wait for the
    picture after it, but only if the bytes end there with JPEG's end marker: wrong lengths are common.
    """

    def __init__(self, boundary: str) -> None:
        """`boundary` as announced; some cameras announce it with its two dashes."""
        self._boundary = b"--" + boundary.strip('"').removeprefix("--").encode("latin-1", "replace")
        self._buffer = bytearray()
        self._searched = 0
        self._head: dict[str, str] | None = None

    @property
    def pending(self) -> int:
        """Bytes of the part that is not complete yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[SentPicture]:
        """The parts that these bytes complete, oldest first."""
        self._buffer += data
        parts: list[SentPicture] = []
        while (part := self._next()) is not None:
            if part.data:
                parts.append(part)
        if len(self._buffer) > MAX_PART_BYTES:
            self._drop(len(self._buffer))
            self._head = None
        return parts

    def _next(self) -> SentPicture | None:
        if self._head is None and not self._read_head():
            return None
        assert self._head is not None
        found = self._buffer.find(self._boundary, self._searched)
        if found >= 0:
            return self._take(found)
        self._searched = max(0, len(self._buffer) - len(self._boundary))
        length = self._announced_length()
        if length is not None and self._buffer[length - 2 : length] == _END_OF_IMAGE:
            return self._take(length)
        return None

    def _read_head(self) -> bool:
        """Read the headers of the next part; False if they are not complete."""
        start = self._buffer.find(self._boundary)
        if start < 0:
            self._drop(max(0, len(self._buffer) - len(self._boundary)))
            return False
        ends = [
            (at, len(mark)) for mark in (b"\r\n\r\n", b"\n\n") if (at := self._buffer.find(mark, start)) >= 0
        ]
        if not ends:
            if len(self._buffer) - start > _MAX_HEAD_BYTES:
                self._drop(start + len(self._boundary))
            return False
        end, length = min(ends)
        lines = bytes(self._buffer[start:end]).decode("latin-1").splitlines()[1:]
        pairs = (line.partition(":") for line in lines)
        self._head = {name.strip().lower(): value.strip() for name, _, value in pairs}
        self._drop(end + length)
        return True

    def _announced_length(self) -> int | None:
        assert self._head is not None
        text = self._head.get("content-length", "")
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            return None
        length = int(text)
        return length if 2 <= length <= len(self._buffer) else None

    def _take(self, length: int) -> SentPicture:
        assert self._head is not None
        part = SentPicture(
            bytes(self._buffer[:length]).rstrip(b"\r\n"), _seconds(self._head.get("x-timestamp"))
        )
        self._drop(length)
        self._head = None
        return part

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._searched = 0


def _seconds(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
