"""Kind and size of a picture from its first bytes, and whether its end is there; nothing is decoded.

Written by hand because the data comes from strangers: Pillow 13 spends 10 s and 670 MB on the header of a
20 MB JPEG made of empty segments, and cannot tell the size of a WebP that was cut off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

MOST_SEGMENTS = 1000
"""Segments before a JPEG's first scan; a telephone's depth map takes some dozens."""
HEAD_BYTES = 16
"""Enough to tell the kind."""
_SIZE_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of a frame header (ITU-T T.81, table B.1)."""
_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a length."""
_START_OF_SCAN = 0xDA
_END_OF_IMAGE = b"\xff\xd9"
_MARKER = re.compile(rb"\xff+([^\xff])", re.DOTALL)
"""A marker may be preceded by any number of fill bytes."""

Size = tuple[int, int]


class ImageKind(StrEnum):
    """The file formats that are distinguished."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    BMP = "bmp"
    GIF = "gif"


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """The fields of a header, in pixels as stored, before any rotation."""

    kind: ImageKind
    width: int
    height: int

    @property
    def pixels(self) -> int:
        return self.width * self.height


def image_kind(head: bytes) -> ImageKind | None:
    """The kind by the first `HEAD_BYTES` bytes; None if it is no picture."""
    for start, kind in _STARTS.items():
        if head.startswith(start):
            return kind
    return ImageKind.WEBP if head.startswith(b"RIFF") and head[8:12] == b"WEBP" else None


def read_header(data: bytes) -> ImageHeader | None:
    """Kind and size; None if it is no picture, or one whose header is broken."""
    kind = image_kind(data)
    if kind is None:
        return None
    width, height = _SIZES[kind](data)
    return ImageHeader(kind, width, height) if width > 0 and height > 0 else None


def is_truncated(data: bytes) -> bool:
    """True if a JPEG, PNG or WebP lacks its end. Decoders fill in the rest and report nothing."""
    kind = image_kind(data)
    if kind is ImageKind.JPEG:
        # Behind the start of the scan: a thumbnail within the header has an end of its own.
        return data.find(_END_OF_IMAGE, _walk_jpeg(data)[1]) < 0
    if kind is ImageKind.WEBP:
        return len(data) < 8 + _little(data[4:8])
    return kind is ImageKind.PNG and b"IEND" not in data[-4096:]


def find_jpeg_end(data: bytes | bytearray, start: int = 0, searched: int = 0) -> int | None:
    """The offset behind the JPEG that begins at `start`; None if its end is not there yet.

    It ends behind its end marker, or if that was lost, where the next JPEG begins. Before `searched` no end
    is looked for.
    """
    scan = max(_walk_jpeg(data, start)[1], searched)
    ends = data.find(_END_OF_IMAGE, scan)
    follows = data.find(b"\xff\xd8\xff", scan, ends if ends >= 0 else None)
    if follows >= 0:
        return follows
    return ends + 2 if ends >= 0 else None


def _walk_jpeg(data: bytes | bytearray, start: int = 0) -> tuple[Size, int]:
    """(width, height) and the offset where the walk ended: the first scan if all is well (T.81, annex B)."""
    at, size = start + 2, (0, 0)
    for _ in range(MOST_SEGMENTS):
        found = _MARKER.match(data, at)
        if found is None or found[1][0] == _START_OF_SCAN:
            break
        marker, at = found[1][0], found.end()
        if marker in _BARE_MARKERS:
            continue
        if marker in _SIZE_MARKERS:
            size = _big(data[at + 5 : at + 7]), _big(data[at + 3 : at + 5])
        at += max(_big(data[at : at + 2]), 2)
    return size, at


def _jpeg_size(data: bytes) -> Size:
    return _walk_jpeg(data)[0]


def _png_size(data: bytes) -> Size:
    return (_big(data[16:20]), _big(data[20:24])) if data[12:16] == b"IHDR" and len(data) >= 24 else (0, 0)


def _gif_size(data: bytes) -> Size:
    return _little(data[6:8]), _little(data[8:10])


def _bmp_size(data: bytes) -> Size:
    # A negative height means that rows are stored from the top.
    return _little(data[18:22]), abs(int.from_bytes(data[22:26], "little", signed=True))


def _webp_size(data: bytes) -> Size:
    """By the first chunk: extended, lossless or lossy (RFC 9649)."""
    kind, body = data[12:16], data[20:30]
    if len(body) < 10:
        return 0, 0
    if kind == b"VP8X":
        return 1 + _little(body[4:7]), 1 + _little(body[7:10])
    if kind == b"VP8L" and body[0] == 0x2F:
        bits = _little(body[1:5])
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        return _little(body[6:8]) & 0x3FFF, _little(body[8:10]) & 0x3FFF
    return 0, 0


def _big(data: bytes | bytearray) -> int:
    return int.from_bytes(data, "big")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")


_STARTS: Mapping[bytes, ImageKind] = {
    b"\xff\xd8\xff": ImageKind.JPEG,
    b"\x89PNG\r\n\x1a\n": ImageKind.PNG,
    b"GIF87a": ImageKind.GIF,
    b"GIF89a": ImageKind.GIF,
    b"BM": ImageKind.BMP,
}
_SIZES: Mapping[ImageKind, Callable[[bytes], Size]] = {
    ImageKind.JPEG: _jpeg_size,
    ImageKind.PNG: _png_size,
    ImageKind.WEBP: _webp_size,
    ImageKind.BMP: _bmp_size,
    ImageKind.GIF: _gif_size,
}
