"""Headers of pictures, against OpenCV as writer and Pillow as judge, and hostile ones."""

from __future__ import annotations

import io
import time

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.image_header import MOST_SEGMENTS, ImageHeader, ImageKind, image_kind, is_truncated, read_header

SUFFIXES = {".jpg": ImageKind.JPEG, ".png": ImageKind.PNG, ".webp": ImageKind.WEBP, ".bmp": ImageKind.BMP}
STARTS = [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"GIF89a", b"BM", b""]


def encoded(suffix: str, width: int = 40, height: int = 30) -> bytes:
    shades = np.arange(width * height * 3, dtype=np.uint8).reshape(height, width, 3)
    return cv2.imencode(suffix, shades)[1].tobytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(width=st.integers(1, 90), height=st.integers(1, 90))
def test_kind_and_size_are_read_as_written(suffix: str, width: int, height: int) -> None:
    data = encoded(suffix, width, height)
    assert read_header(data) == ImageHeader(SUFFIXES[suffix], width, height)
    assert not is_truncated(data)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "BMP", "GIF"])
@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
def test_other_writers_are_understood(format: str, mode: str) -> None:
    pillow = pytest.importorskip("PIL.Image")
    if (format, mode) == ("JPEG", "P"):
        mode = "CMYK"
    for options in ({}, {"lossless": True}, {"progressive": True, "comment": b"a" * 900}):
        file = io.BytesIO()
        pillow.new(mode, (321, 123)).save(file, format, **options)
        found = read_header(file.getvalue())
        assert found is not None
        assert (found.kind, found.width, found.height) == (format.lower(), 321, 123)
        assert not is_truncated(file.getvalue())


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_missing_end_is_seen(suffix: str, share: float) -> None:
    data = encoded(suffix, 200, 200)
    assert is_truncated(data[: int(len(data) * share)])


def test_the_end_of_a_thumbnail_is_not_that_of_the_picture() -> None:
    data = encoded(".jpg", 200, 200)
    thumbnail = encoded(".jpg")
    with_one = data[:2] + b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail + data[2:]
    assert read_header(with_one) == ImageHeader(ImageKind.JPEG, 200, 200)
    assert not is_truncated(with_one)
    assert is_truncated(with_one[:-100])


def test_fill_bytes_before_a_marker_are_passed_over() -> None:
    data = encoded(".jpg")
    assert read_header(data[:2] + b"\xff" * 500 + data[2:]) == ImageHeader(ImageKind.JPEG, 40, 30)


@given(st.sampled_from(STARTS), st.binary(max_size=200))
def test_any_bytes_are_a_header_or_none(start: bytes, rest: bytes) -> None:
    data = start + rest
    found = read_header(data)
    assert found is None or (found.kind is image_kind(data) and found.pixels >= 1)
    is_truncated(data)


@pytest.mark.parametrize(
    "filling", [b"\xff", b"\0", b"\xff\xe9\0\2", b"\xff\xd0", b"\xff\xe1\xff\xff"], ids=lambda one: one.hex()
)
def test_no_header_costs_more_than_a_moment(filling: bytes) -> None:
    data = b"\xff\xd8" + filling * (20_000_000 // len(filling))
    start_s = time.process_time()
    assert read_header(data) is None
    is_truncated(data)
    assert time.process_time() - start_s < 2


def test_a_jpeg_of_more_segments_than_any_has_no_size() -> None:
    data = encoded(".jpg")
    segment = b"\xff\xe9\0\2"
    assert read_header(data[:2] + segment * 100 + data[2:]) is not None
    assert read_header(data[:2] + segment * MOST_SEGMENTS + data[2:]) is None
