"""Splits MJPEG over HTTP into pictures: multipart (RFC 2046) as cameras really send it, or bare. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from common.image_header import find_jpeg_end, image_kind, is_truncated

MAX_PART_BYTES = 64_000_000
"""A picture with more bytes is rubbish: 120 million pixels are about 40 MB as JPEG."""
_MAX_HEAD_BYTES = 16_384
_START_OF_JPEG = b"\xff\xd8\xff"
_SENT_AT = re.compile(rb"(?:^|\n)x-timestamp:[ \t]*([0-9.]+)", re.IGNORECASE)


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
    """Takes bytes as they come, returns the pictures that are complete.

    A JPEG ends at its own end marker, so that it need not wait for the picture after it; anything else ends
    at the next boundary. Announced lengths are not used: wrong ones are common. A JPEG is also found if there
    is no boundary before it, or another than announced. Parts of text are passed over.
    """

    def __init__(self, boundary: str | None) -> None:
        """`boundary` as announced, if it was; some cameras announce it with its two dashes."""
        name = (boundary or "").strip().strip('"').removeprefix("--")
        self._boundary = b"--" + name.encode("latin-1", "replace") if name else None
        self._buffer = bytearray()
        self._searched = 0
        self._head: dict[str, str] | None = None

    @property
    def pending(self) -> int:
        """Bytes of the part that is not complete yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[SentPicture]:
        """The pictures that these bytes complete, oldest first."""
        self._buffer += data
        parts: list[SentPicture] = []
        while (part := self._next()) is not None:
            if part.data:
                parts.append(part)
        # Bounds the memory that a broken or hostile camera can make us use.
        if len(self._buffer) > MAX_PART_BYTES:
            self._drop(len(self._buffer))
            self._head = None
        return parts

    def _next(self) -> SentPicture | None:
        """The next part, without data if it is no picture; None if it is not complete."""
        if self._head is None and not self._read_head():
            return self._take_bare()
        assert self._head is not None
        bounds = self._find_boundary()
        if self._is_jpeg():
            # Searched from where the last search ended: from 0, each piece would scan a large picture again.
            end = find_jpeg_end(self._buffer, 0, self._searched)
            if end is not None and (bounds < 0 or end < bounds):
                return self._take(end)
        if bounds >= 0:
            return self._take(bounds)
        # Three bytes of a marker may still be on their way.
        self._searched = max(0, len(self._buffer) - max(len(self._boundary or b""), 3))
        return None

    def _is_jpeg(self) -> bool:
        """True if the part begins as a JPEG; line ends before it are removed."""
        lead = len(self._buffer) - len(self._buffer.lstrip(b"\r\n"))
        if lead:
            del self._buffer[:lead]
            self._searched = max(0, self._searched - lead)
        return self._buffer.startswith(_START_OF_JPEG)

    def _find_boundary(self) -> int:
        return -1 if self._boundary is None else self._buffer.find(self._boundary, self._searched)

    def _take_bare(self) -> SentPicture | None:
        """A JPEG that comes before any boundary."""
        start = self._buffer.find(_START_OF_JPEG)
        if start < 0:
            self._shorten()
            return None
        end = find_jpeg_end(self._buffer, start, self._searched)
        bounds = self._buffer.find(self._boundary, start) if self._boundary else -1
        if bounds >= 0 and (end is None or bounds < end):
            end = bounds
        if end is None:
            self._searched = max(start, len(self._buffer) - 3)
            return None
        # The last time stamp before the picture is its own, although its boundary was not recognised.
        sent = _SENT_AT.findall(self._buffer[max(0, start - _MAX_HEAD_BYTES) : start])
        picture = SentPicture(bytes(self._buffer[start:end]), _seconds(sent[-1].decode()) if sent else None)
        self._drop(end)
        return picture

    def _shorten(self) -> None:
        """Keep only bytes that may begin a boundary with headers."""
        begin = self._buffer.find(self._boundary) if self._boundary else -1
        self._drop(begin if begin >= 0 else max(0, len(self._buffer) - _MAX_HEAD_BYTES))

    def _read_head(self) -> bool:
        """Read the headers of the next part; False if they are not complete, or a JPEG comes before them."""
        start = self._buffer.find(self._boundary) if self._boundary else -1
        jpeg = self._buffer.find(_START_OF_JPEG)
        if start < 0 or 0 <= jpeg < start:
            return False
        # Some cameras end lines with LF alone; the earlier blank line ends the headers.
        ends = [
            (at, len(mark)) for mark in (b"\r\n\r\n", b"\n\n") if (at := self._buffer.find(mark, start)) >= 0
        ]
        if not ends or 0 <= jpeg < min(ends)[0]:
            # Too long for headers: the blank line was lost, so look for the next boundary.
            if len(self._buffer) - start > _MAX_HEAD_BYTES:
                assert self._boundary is not None
                self._drop(start + len(self._boundary))
            return False
        end, length = min(ends)
        lines = bytes(self._buffer[start:end]).decode("latin-1").splitlines()[1:]
        pairs = (line.partition(":") for line in lines)
        self._head = {name.strip().lower(): value.strip() for name, _, value in pairs}
        self._drop(end + length)
        return True

    def _take(self, length: int) -> SentPicture:
        assert self._head is not None
        # The line end before a boundary belongs to the boundary (RFC 2046, 5.1.1).
        data = bytes(self._buffer[:length]).rstrip(b"\r\n")
        said = self._head.get("content-type", "")
        # Cameras announce wrong types; the first bytes of a picture outweigh them.
        if said and not said.lower().startswith("image/") and image_kind(data) is None:
            data = b""
        part = SentPicture(data, _seconds(self._head.get("x-timestamp")))
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
