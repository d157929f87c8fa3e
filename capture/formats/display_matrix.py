"""Whether an MP4 or MOV file is to be shown mirrored, as telephones mark videos of their front camera.

OpenCV turns a video as its display matrix says, but takes a reflection in it for a rotation.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal

import cv2

Flip = Literal[0, 1]
"""As `cv2.flip` takes it: 0 swaps top and bottom, 1 left and right."""

_MOST_BOXES = 1000
_MOST_BYTES = 64_000_000
"""A longer index of a file is rubbish, or a film of days."""
_MATRIX_AT = {0: 40, 1: 52}
"""Offset of the matrix in a track header, by its version (ISO/IEC 14496-12, 8.3.2)."""


def find_flip(path: Path) -> Flip | None:
    """The flip that is still to be done after OpenCV's rotation; None if none, or if it is no MP4.

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
    # A negative determinant is a reflection. Without one, OpenCV's rotation is all there is to do.
    if a * d - b * c >= 0:
        return None
    # OpenCV turns by the first column (a, b). The reflection that is left keeps that direction, and reverses
    # the one across it.
    return 0 if abs(a) > abs(b) else 1


def _read_index(file: BinaryIO) -> bytes:
    """The body of the box `moov`, which may stand at the end; empty if there is none."""
    for _ in range(_MOST_BOXES):
        head = file.read(8)
        if len(head) < 8:
            break
        size, name = int.from_bytes(head[:4], "big"), head[4:]
        body = size - 8
        # A size of 1 announces the real one, in 64 bits, behind the name (ISO/IEC 14496-12, 4.2).
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
    """The names and bodies of the boxes one behind the other."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size < 8:
            return
        yield data[at + 4 : at + 8], data[at + 8 : at + size]
        at += size


def flip_image(image: cv2.typing.MatLike, flip: Flip | None) -> cv2.typing.MatLike:
    """The picture flipped; itself if there is nothing to do."""
    return image if flip is None else cv2.flip(image, flip)
