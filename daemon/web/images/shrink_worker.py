"""A process that decodes other people's pictures, and nothing else: bounded memory, no way to disturb.

Reads jobs from its input (length, 4 bytes big-endian, then the picture), writes answers (1 for a JPEG or 0
for what is wrong, length, then the content), and ends with its input.
"""

from __future__ import annotations

import resource
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from common.spawn import lower_priority

SIDE = 1280
LARGEST_JPEG = 1_400_000
"""Bytes; in base64 it fits into a request to the daemon."""
MEMORY = 900 * 2**20
"""Bytes beyond what the program itself takes."""
QUALITIES = (90, 80, 65, 45, 25)
HEAD = struct.Struct(">I")
ANSWER = struct.Struct(">BI")


def main() -> int:
    with suppress(OSError):
        lower_priority()
    import cv2

    cv2.setNumThreads(1)
    _lock_up()
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while (data := _job(source)) is not None:
        try:
            good, content = 1, shrunk(data)
        except (cv2.error, ValueError, MemoryError):
            good, content = 0, b"it cannot be decoded"
        sink.write(ANSWER.pack(good, len(content)) + content)
        sink.flush()
    return 0


def shrunk(data: bytes) -> bytes:
    """The picture upright, `SIDE` pixels at most, as JPEG without what else was in it. Raises ValueError."""
    import cv2
    import numpy as np

    image = cv2.imdecode(np.frombuffer(data, np.uint8), _reading(data))
    if image is None:
        raise ValueError("no picture")
    height, width = image.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size != (width, height):
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    for quality in QUALITIES:
        _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if jpeg.size <= LARGEST_JPEG:
            return bytes(jpeg.tobytes())
    raise ValueError("too much in it")


def _reading(data: bytes) -> int:
    """Large JPEGs are decoded at a fraction of their size, which costs that fraction."""
    import cv2

    from daemon.web.images.pictures import measure

    found = measure(data, float("inf"))
    side = max(found.width, found.height)
    if found.kind != "jpeg" or side < 2 * SIDE:
        return cv2.IMREAD_COLOR
    if side < 4 * SIDE:
        return cv2.IMREAD_REDUCED_COLOR_2
    return cv2.IMREAD_REDUCED_COLOR_4 if side < 8 * SIDE else cv2.IMREAD_REDUCED_COLOR_8


def _lock_up() -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _job(source: BinaryIO) -> bytes | None:
    head = source.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    (length,) = HEAD.unpack(head)
    return source.read(length)


if __name__ == "__main__":
    sys.exit(main())
