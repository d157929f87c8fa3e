"""Pictures from outside: headers that lie, decoders that die or hang."""

from __future__ import annotations

import asyncio
import os
import struct
import zlib

import cv2
import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.web.images.pictures import measure
from daemon.web.images.shrinker import Shrinker
from daemon.web.problems import Problem
from tests.daemon.web.pretending import jpeg
from tests.daemon.web.serving import refused


def png(width: int, height: int, rows: bytes) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def claiming(picture: bytes, width: int, height: int) -> bytes:
    """A JPEG whose header tells another size."""
    at = picture.index(b"\xff\xc0")
    return picture[: at + 5] + struct.pack(">HH", height, width) + picture[at + 9 :]


BOMBS = {
    "png of 2.5 thousand million pixels": png(50_000, 50_000, zlib.compress(bytes(1_000_000), 9)),
    "png of the largest size": png(2**31 - 1, 2**31 - 1, b""),
    "jpeg of 65500x65500": claiming(jpeg(), 65500, 65500),
    "webp of 16383x16383": b"RIFF\x40\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xfe\x3f\0\xfe\x3f\0" + bytes(40),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_bombs_are_known_by_their_header(web: httpx.Client, bomb: bytes) -> None:
    refused(web.post("/process", files={"image": bomb}), 413)


BROKEN = {
    "png within bounds, without its rows": png(3000, 3000, zlib.compress(bytes(1000))),
    "png whose rows never end": png(100, 100, zlib.compress(bytes(40_000_000), 9)),
    "png cut short": cv2.imencode(".png", np.zeros((99, 99, 3), np.uint8))[1].tobytes()[:-40],
    "jpeg that claims to be larger": claiming(jpeg(), 7000, 7000),
    "jpeg without anything": b"\xff\xd8\xff\xc0\0\x11\x08" + struct.pack(">HH", 5000, 5000) + bytes(90),
    "noise after a png's head": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4,
    "noise after a webp's head": b"RIFF\xff\xff\xff\xffWEBPVP8 " + bytes(range(256)),
}


@pytest.mark.parametrize("picture", BROKEN.values(), ids=BROKEN.keys())
def test_broken_pictures_break_nothing(web: httpx.Client, picture: bytes) -> None:
    """A decoder may make something of it; then it is small and new."""
    answer = web.post("/process", files={"image": picture})
    if answer.status_code != 200:
        refused(answer, 422)
    assert web.post("/process", files={"image": jpeg()}).status_code == 200


@given(st.binary(max_size=200), st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP"]))
def test_any_header_is_measured_or_refused(rest: bytes, start: bytes) -> None:
    try:
        found = measure(start + rest, 1e6)
    except Problem as problem:
        assert problem.status_code in (413, 415, 422)
    else:
        assert found.width * found.height <= 1e6 and min(found.width, found.height) >= 1


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@given(width=st.integers(1, 90), height=st.integers(1, 90))
def test_sizes_are_read_as_they_are(suffix: str, width: int, height: int) -> None:
    found = measure(cv2.imencode(suffix, np.zeros((height, width, 3), np.uint8))[1].tobytes(), 1e6)
    assert (found.width, found.height) == (width, height)


def test_a_decoder_that_dies_or_hangs_is_replaced() -> None:
    async def scenario() -> None:
        shrinker = Shrinker(50e6, time_s=30)
        try:
            assert (await shrinker.shrink(jpeg())).startswith(b"\xff\xd8")
            child = shrinker._child  # the victim
            assert child is not None
            os.kill(child.pid, 19)  # stopped, as a hanging decoder
            shrinker._time_s = 0.5
            with pytest.raises(Problem) as caught:
                await shrinker.shrink(jpeg())
            assert caught.value.status_code == 503  # it had no processor time: not the picture's fault
            assert (caught.value.headers or {}).get("Retry-After")
            assert "decoded" not in str(caught.value.detail)
            shrinker._time_s = 30
            assert (await shrinker.shrink(jpeg())).startswith(b"\xff\xd8")
        finally:
            await shrinker.close()

    asyncio.run(scenario())
