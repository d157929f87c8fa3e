"""Is it a picture, of which kind and size? Read from its first bytes, before anything is decoded. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from daemon.web.problems import Problem

LONGEST_SIDE = 20_000
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of a frame header (ITU-T T.81, table B.1)."""
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a length."""
MOST_SEGMENTS = 1000
TYPES = ("image/jpeg", "image/png", "image/webp")


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What the header says, in pixels as stored, before any rotation."""

    type: str
    width: int
    height: int


def measure(data: bytes, most_pixels: float) -> ImageHeader:
    """Raises Problem where it is none of the kinds we take, broken, or too large."""
    for start, (type, size) in _KINDS.items():
        if data.startswith(start) and (type != "image/webp" or data[8:12] == b"WEBP"):
            found = size(data)
            if found is None or min(found) < 1:
                raise Problem(
                    422, f"image: a broken {type.partition('/')[2].upper()}: it does not tell its size"
                )
            return _bounded(ImageHeader(type, *found), most_pixels)
    raise Problem(415, "image: should be a JPEG, PNG or WebP")


def _bounded(found: ImageHeader, most_pixels: float) -> ImageHeader:
    pixels = found.width * found.height
    if pixels > most_pixels or max(found.width, found.height) > LONGEST_SIDE:
        raise Problem(
            413,
            f"image: {found.width}x{found.height} pixels; at most {most_pixels / 1e6:g} million are taken, "
            f"and {LONGEST_SIDE} a side",
        )
    return found


def _png(data: bytes) -> tuple[int, int] | None:
    if data[12:16] != b"IHDR" or len(data) < 24:
        return None
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def _webp(data: bytes) -> tuple[int, int] | None:
    """The three kinds of first chunk (RFC 9649)."""
    kind, body = data[12:16], data[20:30]
    if len(body) < 10:
        return None
    if kind == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8L" and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = int.from_bytes(body[6:8], "little"), int.from_bytes(body[8:10], "little")
        return width & 0x3FFF, height & 0x3FFF
    return None


def _jpeg(data: bytes) -> tuple[int, int] | None:
    at = 2
    for _ in range(MOST_SEGMENTS):
        while at < len(data) - 1 and data[at] == 0xFF and data[at + 1] == 0xFF:
            at += 1  # fill bytes
        if at + 9 > len(data) or data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker in _JPEG_BARE:
            at += 2
            continue
        if marker in _JPEG_SIZES:
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


_KINDS: Mapping[bytes, tuple[str, Callable[[bytes], tuple[int, int] | None]]] = {
    b"\xff\xd8\xff": ("image/jpeg", _jpeg),
    b"\x89PNG\r\n\x1a\n": ("image/png", _png),
    b"RIFF": ("image/webp", _webp),
}
