"""Videos that are to be shown turned or mirrored, by the matrix in their header."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.files import VideoFile
from capture.formats.display_matrix import find_flip
from capture.settings import CaptureSettings
from tests.capture.made import street, write_video

ONE = 65536
QUARTERS = {
    "top left": (30, 40),
    "top right": (30, -40),
    "bottom left": (-30, 40),
    "bottom right": (-30, -40),
}


def marked(path: Path, a: int, b: int, c: int, d: int) -> Path:
    """A video of 160 x 120, white at the top left, with this matrix."""
    image = np.zeros((120, 160, 3), np.uint8)
    image[:60, :80] = 255
    write_video(path, [image] * 3, codec="mp4v")
    data = bytearray(path.read_bytes())
    at = data.find(b"tkhd") + 44
    data[at : at + 36] = struct.pack(">9i", a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("matrix", "white"),
    [
        ((1, 0, 0, 1), "top left"),
        ((-1, 0, 0, 1), "top right"),
        ((1, 0, 0, -1), "bottom left"),
        ((-1, 0, 0, -1), "bottom right"),
        ((0, 1, -1, 0), "top right"),
        ((0, -1, 1, 0), "bottom left"),
        ((0, 1, 1, 0), "top left"),
        ((0, -1, -1, 0), "bottom right"),
    ],
)
def test_a_video_is_shown_as_its_matrix_says(
    tmp_path: Path, matrix: tuple[int, int, int, int], white: str
) -> None:
    frame = VideoFile(marked(tmp_path / "clip.mp4", *matrix), CaptureSettings()).read()
    assert frame is not None
    upright = matrix[0] != 0
    assert frame.image.shape[:2] == ((120, 160) if upright else (160, 120))
    bright = [name for name, (y, x) in QUARTERS.items() if frame.image[y, x].mean() > 128]
    assert bright == [white]


def test_what_is_no_mp4_has_no_flip(tmp_path: Path) -> None:
    assert find_flip(write_video(tmp_path / "clip.avi", [street()])) is None


@given(st.binary(max_size=300), st.sampled_from([b"", b"\0\0\0\x30moov", b"\0\0\0\x40moov\0\0\0\x38trak"]))
def test_rubbish_is_survived(tmp_path_factory: pytest.TempPathFactory, data: bytes, start: bytes) -> None:
    path = tmp_path_factory.mktemp("rubbish") / "clip.mp4"
    path.write_bytes(start + data)
    assert find_flip(path) is None
