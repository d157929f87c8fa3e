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
from common.image_header import HEAD_BYTES, ImageKind, image_kind, is_truncated, read_header
from common.redact import redact

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"})
MAX_PIXELS = 120_000_000
"""Largest picture decoded: 360 MB as BGR. Telephones deliver up to 108 million pixels, 8K has 33."""
_MAX_BYTES = 256_000_000
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
    header = read_header(data)
    if header is None:
        raise CameraUnusable(f"{path} is not a picture; JPEG, PNG, WebP, BMP and GIF can be read")
    if header.pixels > MAX_PIXELS:
        raise CameraUnusable(
            f"{path} has {header.width} x {header.height} pixels, more than {MAX_PIXELS // 10**6} million; "
            "scale it down"
        )
    if is_truncated(data):
        raise CameraUnusable(f"{path} is cut off; copy it again")
    try:
        return decode_image(data, max_side), (header.width, header.height)
    except CameraUnusable as error:
        raise CameraUnusable(f"{path} {error}") from None


def decode_image(data: bytes, max_side: int) -> Image:
    """Decode a picture, upright by its own EXIF and bounded to `max_side`.

    The caller has checked its size and that its end is there (`read_header`, `is_truncated`). Raises
    CameraUnusable with a reason that wants the picture's name before it.
    """
    header = read_header(data)
    longest = max(header.width, header.height) if header else max_side
    return limit_size(_decode(data, longest // max_side), max_side)


def is_still_image(path: Path) -> bool:
    """Whether a file starts as a picture does (by its name where it cannot be read); a GIF is a video."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return False
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return path.suffix.lower() in PICTURE_SUFFIXES
    return image_kind(head) not in (None, ImageKind.GIF)


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
    if image_kind(data) is ImageKind.JPEG:
        flag = next((reduced for factor, reduced in _JPEG_REDUCED.items() if shrink >= factor), flag)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    except cv2.error:
        image = None
    if image is None:
        raise CameraUnusable("cannot be decoded; it is damaged")
    return np.asarray(image, dtype=np.uint8)
