"""Still pictures from disk; sizes are read before decoding, so that no file can exhaust memory."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import cv2
import numpy as np

from capture.camera import CameraUnusable
from capture.frame import Image
from capture.orient import limit_size
from common.redact import redact

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"})
MAX_PIXELS = 120_000_000
"""Largest picture decoded: 360 MB as BGR. Telephones deliver up to 108 million pixels, 8K has 33."""
_MAX_BYTES = 256_000_000
_JPEG_SIZE_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})
_JPEG_REDUCED = {8: cv2.IMREAD_REDUCED_COLOR_8, 4: cv2.IMREAD_REDUCED_COLOR_4, 2: cv2.IMREAD_REDUCED_COLOR_2}


def require_file(path: Path) -> Path:
    """`path`, if it is a file that can be read and holds something. Raises CameraUnusable."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise CameraUnusable(f"{path} is neither a file nor a folder; name a video or a picture")
        if status.st_size == 0:
            raise CameraUnusable(f"{path} is empty (0 bytes); copy it again")
        with path.open("rb"):
            return path
    except OSError as error:
        raise CameraUnusable(_unreadable(path, error)) from error


def list_images(folder: Path) -> tuple[Path, ...]:
    """The pictures of a folder, 2.jpg before 10.jpg, hidden files left out. Raises CameraUnusable."""
    try:
        entries = sorted(folder.iterdir(), key=lambda path: natural_key(path.name))
    except OSError as error:
        raise CameraUnusable(_unreadable(folder, error)) from error
    pictures = tuple(path for path in entries if _is_picture_name(path.name) and not path.is_dir())
    if not pictures:
        raise CameraUnusable(f"{folder} holds no pictures ({' '.join(sorted(PICTURE_SUFFIXES))})")
    return pictures


def natural_key(name: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """Sorts runs of digits by their value and letters without case; equal names by their spelling."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name.casefold())
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts), name


def load_image(path: Path, max_side: int) -> tuple[Image, tuple[int, int]]:
    """The picture, upright by its own EXIF and bounded to `max_side`, and its width and height on disk.

    Raises CameraUnusable with a reason: unreadable, not a picture, cut off, too large.
    """
    data = _read(path)
    size = image_size(data)
    if size is None:
        raise CameraUnusable(f"{path} is not a picture; JPEG, PNG, WebP, BMP and GIF can be read")
    width, height = size
    if width * height > MAX_PIXELS:
        raise CameraUnusable(
            f"{path} has {width} x {height} pixels, more than {MAX_PIXELS // 10**6} million; scale it down"
        )
    if is_truncated(data):
        raise CameraUnusable(f"{path} is cut off; copy it again")
    try:
        return decode_image(data, max_side), size
    except CameraUnusable as error:
        raise CameraUnusable(f"{path} {error}") from None


def decode_image(data: bytes, max_side: int) -> Image:
    """A whole picture of bearable size (see `image_size`, `is_truncated`), upright by its own EXIF, bounded.

    Raises CameraUnusable with what is wrong with "it".
    """
    size = image_size(data) or (max_side, max_side)
    return limit_size(_decode(data, max(size) // max_side), max_side)


def is_still_image(path: Path) -> bool:
    """Whether a file starts as a picture does (by its name where it cannot be read); a GIF is a video."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return False
        with path.open("rb") as file:
            head = file.read(16)
    except OSError:
        return path.suffix.lower() in PICTURE_SUFFIXES
    return head.startswith((b"\xff\xd8\xff", b"\x89PNG", b"BM")) or head[8:12] == b"WEBP"


def image_size(data: bytes) -> tuple[int, int] | None:
    """Width and height by the header of a JPEG, PNG, WebP, BMP or GIF; None for anything else."""
    width, height = _header_size(data)
    return (width, height) if width > 0 and height > 0 else None


def is_truncated(data: bytes) -> bool:
    """Whether a JPEG, PNG or WebP lacks its end; decoders fill in the rest and say nothing."""
    if data.startswith(b"\xff\xd8"):
        _, scan = _jpeg_header(data)
        return data.find(b"\xff\xd9", scan) < 0
    if data.startswith(b"RIFF"):
        return len(data) < 8 + _little(data[4:8])
    return data.startswith(b"\x89PNG") and b"IEND" not in data[-4096:]


def _is_picture_name(name: str) -> bool:
    return not name.startswith(".") and Path(name).suffix.lower() in PICTURE_SUFFIXES


def _read(path: Path) -> bytes:
    try:
        if require_file(path).stat().st_size > _MAX_BYTES:
            raise CameraUnusable(f"{path} is larger than {_MAX_BYTES // 10**6} MB; scale it down")
        return path.read_bytes()
    except OSError as error:
        raise CameraUnusable(_unreadable(path, error)) from error


def _unreadable(path: Path, error: OSError) -> str:
    shown = redact(str(path))  # it may have been meant as an address
    if isinstance(error, FileNotFoundError):
        return f"{shown} does not exist; check the spelling"
    if isinstance(error, PermissionError):
        return f"{shown} may not be read by this user; change its permissions (chmod)"
    return f"{shown} cannot be read: {error.strerror}"


def _decode(data: bytes, shrink: int) -> Image:
    """Decode; a JPEG at least twice too large at a half, a quarter or an eighth, which saves memory."""
    flag = cv2.IMREAD_COLOR
    if data.startswith(b"\xff\xd8"):
        flag = next((reduced for factor, reduced in _JPEG_REDUCED.items() if shrink >= factor), flag)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    except cv2.error:
        image = None
    if image is None:
        raise CameraUnusable("cannot be decoded; it is damaged")
    return np.asarray(image, dtype=np.uint8)


def _header_size(data: bytes) -> tuple[int, int]:
    head = data[:32].ljust(32, b"\0")
    if head.startswith(b"\xff\xd8"):
        return _jpeg_header(data)[0]
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _big(head[16:20]), _big(head[20:24])
    if head.startswith((b"GIF87a", b"GIF89a")):
        return _little(head[6:8]), _little(head[8:10])
    if head.startswith(b"BM"):
        return _little(head[18:22]), abs(int.from_bytes(head[22:26], "little", signed=True))
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return _webp_size(head)
    return 0, 0


def _jpeg_header(data: bytes) -> tuple[tuple[int, int], int]:
    """(width, height) and the offset of the first scan, by walking the segments (ITU-T T.81, annex B)."""
    at, size = 2, (0, 0)
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _JPEG_BARE_MARKERS:
            at += 2
        elif marker == 0xDA:
            break
        else:
            if marker in _JPEG_SIZE_MARKERS:
                size = _big(data[at + 7 : at + 9]), _big(data[at + 5 : at + 7])
            at += 2 + _big(data[at + 2 : at + 4])
    return size, at


def _webp_size(head: bytes) -> tuple[int, int]:
    """By the first chunk: extended, lossless or lossy (RFC 9649)."""
    kind = head[12:16]
    if kind == b"VP8X":
        return 1 + _little(head[24:27]), 1 + _little(head[27:30])
    if kind == b"VP8L":
        bits = _little(head[21:25])
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return _little(head[26:28]) & 0x3FFF, _little(head[28:30]) & 0x3FFF


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
