"""A process that decodes untrusted pictures, with bounded memory and the lowest priority.

Reads jobs from stdin (length as 4 bytes big-endian, then the picture), writes answers to stdout (one byte: 1
for a JPEG, 0 for an error; the length; the content), and ends at the end of stdin.
"""

from __future__ import annotations

import resource
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from common.own_process import lower_priority

SIDE = 1280
LARGEST_JPEG = 1_400_000
"""In bytes; in base64 it fits into a request to the daemon."""
MEMORY = 900 * 2**20
"""Address space in bytes beyond that of the program itself."""
QUALITIES = (90, 80, 65, 45, 25)
HEAD = struct.Struct(">I")
ANSWER = struct.Struct(">BI")


def main() -> int:
    with suppress(OSError):
        lower_priority()
    # After the priority is lowered, which OpenCV's threads inherit, and before memory is limited.
    import cv2

    # One thread: others would each take address space from the limit.
    cv2.setNumThreads(1)
    _limit_resources()
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while (data := _read_job(source)) is not None:
        try:
            good, content = 1, shrink(data)
        # MemoryError is the limit at work, on a picture that needs too much.
        except (cv2.error, ValueError, MemoryError):
            good, content = 0, b"it cannot be decoded"
        sink.write(ANSWER.pack(good, len(content)) + content)
        sink.flush()
    return 0


def shrink(data: bytes) -> bytes:
    """The picture as JPEG: upright, `SIDE` pixels at most, without metadata. Raises ValueError."""
    import cv2
    import numpy as np

    image = cv2.imdecode(np.frombuffer(data, np.uint8), _imread_flag(data))
    if image is None:
        raise ValueError("no picture")
    height, width = image.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size != (width, height):
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    # Few pictures need more than the first: 1280 pixels at 90 are about half a megabyte.
    for quality in QUALITIES:
        _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if jpeg.size <= LARGEST_JPEG:
            return bytes(jpeg.tobytes())
    raise ValueError("too much in it")


def _imread_flag(data: bytes) -> int:
    """OpenCV's flag for decoding: large JPEGs are decoded at a fraction of their size, which costs less."""
    import cv2

    from daemon.web.images.pictures import measure

    found = measure(data, float("inf"))
    side = max(found.width, found.height)
    if found.kind != "jpeg" or side < 2 * SIDE:
        return cv2.IMREAD_COLOR
    if side < 4 * SIDE:
        return cv2.IMREAD_REDUCED_COLOR_2
    return cv2.IMREAD_REDUCED_COLOR_4 if side < 8 * SIDE else cv2.IMREAD_REDUCED_COLOR_8


def _limit_resources() -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    # RLIMIT_AS counts what is mapped already, so the program's own size is added.
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    # A core dump would write the picture to disk; a decoder has no file to write.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _read_job(source: BinaryIO) -> bytes | None:
    head = source.read(HEAD.size)
    # End of file: the parent has closed the pipe, or is gone.
    if len(head) < HEAD.size:
        return None
    (length,) = HEAD.unpack(head)
    return source.read(length)


if __name__ == "__main__":
    sys.exit(main())
