"""Reads from an MP4 or MOV file whether to mirror its pictures, as for a phone's front camera.

OpenCV rotates a video by its display matrix, but treats a reflection in that matrix as a rotation.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal

import cv2

Flip = Literal[0, 1]
"""The code of `cv2.flip`: 0 swaps top and bottom, 1 swaps left and right."""

_MOST_BOXES = 1000
"""Top-level boxes that are searched for the index, so that a damaged file cannot keep the reader busy."""
_MOST_BYTES = 64_000_000
"""Largest index that is read: a larger one is damaged, or belongs to a film of several days."""
_MATRIX_AT = {0: 40, 1: 52}
"""Offset of the matrix in a track header, by its version (ISO/IEC 14496-12, 8.3.2)."""


def find_flip(path: Path) -> Flip | None:
    """The flip that is needed after OpenCV's rotation; None if none is, or if the file is no MP4.

    Raises OSError.
    """
    with path.open("rb") as file:
        index = _read_index(file)
    for name, track in _boxes(index):
        parts = dict(_boxes(track)) if name == b"trak" else {}
        handler = dict(_boxes(parts.get(b"mdia", b""))).get(b"hdlr", b"")
        if handler[8:12] == b"vide":
            return _flip_of(parts.get(b"tkhd", b""))
    return None


def _flip_of(header: bytes) -> Flip | None:
    at = _MATRIX_AT.get(header[0] if header else 0, 0)
    if len(header) < at + 20:
        return None
    a, b, _, c, d = struct.unpack_from(">5i", header, at)
    # A negative determinant is a reflection. Without one, OpenCV's rotation is sufficient.
    if a * d - b * c >= 0:
        return None
    # OpenCV rotates by the first column (a, b). The remaining reflection keeps that direction and reverses
    # the perpendicular one.
    return 0 if abs(a) > abs(b) else 1


def _read_index(file: BinaryIO) -> bytes:
    """The body of the box `moov`, which may be at the end of the file; empty if there is none."""
    for _ in range(_MOST_BOXES):
        head = file.read(8)
        if len(head) < 8:
            break
        size, name = int.from_bytes(head[:4], "big"), head[4:]
        body = size - 8
        # A size of 1 means that the real size follows the name, in 64 bits (ISO/IEC 14496-12, 4.2).
        if size == 1:
            body = int.from_bytes(file.read(8), "big") - 16
        if name == b"moov":
            return file.read(body) if 0 < body <= _MOST_BYTES else b""
        # A box of size 0 reaches to the end of the file; a strange name means that this is no MP4.
        if body < 0 or not name.isalnum():
            break
        file.seek(body, 1)
    return b""


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and body of each box, in the order of the file."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size < 8:
            return
        yield data[at + 4 : at + 8], data[at + 8 : at + size]
        at += size


def flip_image(image: cv2.typing.MatLike, flip: Flip | None) -> cv2.typing.MatLike:
    """Return the flipped picture, or the picture itself if `flip` is None."""
    return image if flip is None else cv2.flip(image, flip)
