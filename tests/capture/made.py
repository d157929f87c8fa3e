"""Videos and pictures made on the spot, so that tests need no media of others."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

import capture.ffmpeg  # noqa: F401 - silences FFmpeg before it writes the videos below
from capture.frame import Image


def street(seed: int = 0, width: int = 160, height: int = 120) -> Image:
    """A picture with edges at every scale; different seeds give different ones."""
    rng = np.random.default_rng(seed)
    image = np.full((height, width, 3), rng.integers(90, 160), np.uint8)
    for _ in range(40):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        color = [int(c) for c in rng.integers(0, 256, 3)]
        cv2.rectangle(image, (x, y), (x + int(rng.integers(4, 40)), y + int(rng.integers(4, 40))), color, -1)
    return image


def numbered(index: int, width: int = 160, height: int = 120) -> Image:
    """A picture that survives compression: its brightness is ten times its number."""
    return np.full((height, width, 3), 10 * index, np.uint8)


def number(image: Image) -> int:
    """The number of a `numbered` picture."""
    return round(float(image.mean()) / 10)


def write_video(path: Path, images: list[Image], fps: float = 10, codec: str = "MJPG") -> Path:
    height, width = images[0].shape[:2]
    fourcc = cv2.VideoWriter.fourcc(*codec)
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, fourcc, fps, (width, height))
    assert writer.isOpened(), f"cannot write {path} with {codec}"
    for image in images:
        writer.write(image)
    writer.release()
    return path


def write_picture(path: Path, image: Image) -> Path:
    assert cv2.imwrite(str(path), image)
    return path


def cut(path: Path, share: float) -> Path:
    """The same file without its end."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def png_bomb(path: Path, width: int, height: int) -> Path:
    """A small file whose header promises a giant picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"\0" * 999)), chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    return path


def media(*parts: str) -> Path:
    """A file of the shared collection of real media; the test is skipped where that is absent."""
    root = Path(os.environ.get("WATCHWORD_MEDIA", Path(__file__).parents[2].parent / "shared" / "media"))
    path = root.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"no real media at {path}; set WATCHWORD_MEDIA")
    return path


def images_of(path: Path, every: int = 1) -> Iterator[tuple[float, Image]]:
    """(seconds, picture) of a video, read by OpenCV alone."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    fps, index = capture.get(cv2.CAP_PROP_FPS), 0
    while True:
        found, image = capture.read()
        if not found:
            break
        if index % every == 0:
            yield index / fps, np.asarray(image, dtype=np.uint8)
        index += 1
    capture.release()
