"""Loads still pictures from disk. Reads their size before decoding, so that no file can exhaust memory."""

from __future__ import annotations

import stat
from pathlib import Path

import cv2
import numpy as np

from capture.camera import CameraUnusable
from capture.formats import foreign as foreign_formats
from capture.formats.foreign import foreign_format
from capture.frame import Image
from capture.orient import limit_size
from common.image_header import (
    HEAD_BYTES,
    ImageHeader,
    ImageKind,
    find_jpeg_end,
    image_kind,
    is_truncated,
    read_header,
)
from common.plain_text import escaped
from common.redact import redact

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"})
MAX_PIXELS = 120_000_000
"""Largest picture decoded: 360 MB as BGR. Telephones deliver up to 108 million pixels, 8K has 33."""
NOT_A_PICTURE = "is not a picture; JPEG, PNG, WebP, BMP and GIF can be read"
# Names of files that hold one picture, even if a second JPEG follows the first.
_ONE_JPEG = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"})
# Read at most so much in search of the end of the first JPEG.
_MAX_JPEG_BYTES = 64_000_000
_MAX_BYTES = 256_000_000
# Largest first: `_decode` takes the first factor that fits.
_JPEG_REDUCED = {8: cv2.IMREAD_REDUCED_COLOR_8, 4: cv2.IMREAD_REDUCED_COLOR_4, 2: cv2.IMREAD_REDUCED_COLOR_2}


def require_file(path: Path) -> Path:
    """Return `path` if it is a file that can be read and is not empty. Raises CameraUnusable."""
    shown = escaped(str(path))
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise CameraUnusable(f"{shown} is neither a file nor a folder; name a video or a picture")
        if status.st_size == 0:
            raise CameraUnusable(f"{shown} is empty (0 bytes); copy it again")
        # Opened as a test: os.access does not know the rules of some network file systems.
        with path.open("rb"):
            return path
    except OSError as error:
        raise CameraUnusable(explain_unreadable(path, error)) from error


def load_image(path: Path, max_side: int) -> tuple[Image, tuple[int, int]]:
    """The picture, upright by its own EXIF and bounded to `max_side`, and its width and height on disk.

    Raises CameraUnusable with a reason: unreadable, not a picture, cut off, too large.
    """
    # Read once: header and pixels come from the same bytes even if the file is replaced meanwhile.
    data, shown = _read(path), escaped(str(path))
    header = read_header(data)
    if header is None:
        foreign = foreign_format(data[: foreign_formats.HEAD_BYTES])
        raise CameraUnusable(f"{shown} {foreign.refusal}" if foreign else f"{shown} {NOT_A_PICTURE}")
    if header.pixels > MAX_PIXELS:
        raise CameraUnusable(
            f"{shown} has {header.width} x {header.height} pixels, more than {MAX_PIXELS // 10**6} million; "
            "scale it down"
        )
    # A truncated frame of a camera is still used, since that moment cannot be taken again. A file can be
    # copied again.
    if is_truncated(data):
        raise CameraUnusable(f"{shown} is cut off; copy it again")
    try:
        return decode_image(data, max_side), (header.width, header.height)
    except CameraUnusable as error:
        raise CameraUnusable(f"{shown} {error}") from None


def decode_image(data: bytes, max_side: int) -> Image:
    """Decode a picture, upright by its own EXIF and bounded to `max_side`.

    The caller has checked its size and that its end is there (`read_header`, `is_truncated`). Raises
    CameraUnusable with a reason that wants the picture's name before it.
    """
    return limit_size(decode_reduced(data, read_header(data), max_side), max_side)


def is_still_image(path: Path) -> bool:
    """Return True if a file starts as a picture does (by its name if it cannot be read).

    A GIF counts as a video, and so do JPEGs one behind the other (MJPEG), unless the name is that of a single
    picture: some telephones append a second JPEG with depth or brightness.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return False
        with path.open("rb") as file:
            kind = image_kind(file.read(HEAD_BYTES))
            if kind is ImageKind.JPEG and path.suffix.lower() not in _ONE_JPEG:
                file.seek(0)
                # Another JPEG directly behind the end of the first makes the file MJPEG, which is a video.
                data = file.read(_MAX_JPEG_BYTES)
                return not data.startswith(b"\xff\xd8\xff", find_jpeg_end(data) or len(data))
    except OSError:
        return path.suffix.lower() in PICTURE_SUFFIXES
    return kind not in (None, ImageKind.GIF)


def _read(path: Path) -> bytes:
    try:
        if require_file(path).stat().st_size > _MAX_BYTES:
            raise CameraUnusable(
                f"{escaped(str(path))} has more than {_MAX_BYTES // 10**6} MB; scale it down"
            )
        return path.read_bytes()
    except OSError as error:
        raise CameraUnusable(explain_unreadable(path, error)) from error


def explain_unreadable(path: Path, error: OSError) -> str:
    """Return one line with the remedy for a path that cannot be read."""
    shown = redact(escaped(str(path)))  # it may have been meant as an address
    if isinstance(error, FileNotFoundError):
        # A relative path whose first part has a dot, such as camera.local/stream, is likely an address.
        first = path.parts[0] if len(path.parts) > 1 and not path.is_absolute() else ""
        hint = "; an address begins with http:// or rtsp://" if "." in first.strip(".") else ""
        # A space at an end is not seen in a message.
        if path.name != path.name.strip():
            return f"{shown} does not exist; its name begins or ends with a space"
        return f"{shown} does not exist; check the spelling{hint}"
    if isinstance(error, PermissionError):
        return f"{shown} may not be read by this user; change its permissions (chmod)"
    return f"{shown} cannot be read: {error.strerror}"


def decode_reduced(data: bytes, header: ImageHeader | None, max_side: int, *, upright: bool = True) -> Image:
    """Decode a picture; to save memory, a JPEG at least twice `max_side` at 1/2, 1/4 or 1/8 of its size.

    `header`: its own, None if it is broken. `upright`: turn it as its EXIF says. Raises CameraUnusable with a
    reason that wants the picture's name before it.
    """
    flag = cv2.IMREAD_COLOR
    if header is not None and header.kind is ImageKind.JPEG:
        shrink = max(header.width, header.height) // max_side
        flag = next((reduced for factor, reduced in _JPEG_REDUCED.items() if shrink >= factor), flag)
    if not upright:
        flag |= cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    except cv2.error:
        image = None
    if image is None:
        raise CameraUnusable("cannot be decoded; it is damaged")
    return np.asarray(image, dtype=np.uint8)
