from __future__ import annotations

import cv2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.http.multipart import MAX_PART_BYTES, MultipartSplitter, SentPicture
from tests.capture.cheap_cameras import cheap_bodies
from tests.capture.made import street

PICTURE = cv2.imencode(".jpg", street(0, 64, 48))[1].tobytes()
OTHER = cv2.imencode(".jpg", street(9, 64, 48))[1].tobytes()


def part(data: bytes, length: int | None = None, *more: str, end: str = "\r\n") -> bytes:
    lines = ["--frame", "Content-Type: image/jpeg", *more]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return (end.join(lines) + end + end).encode() + data + b"\r\n"


def split(data: bytes, step: int, boundary: str = "frame") -> list[SentPicture]:
    splitter = MultipartSplitter(boundary)
    return [each for at in range(0, len(data), step) for each in splitter.feed(data[at : at + step])]


@given(st.integers(1, 4000), st.sampled_from([None, 0, -10, 10, 99999]), st.sampled_from(["\r\n", "\n"]))
def test_however_it_is_cut_and_whatever_length_it_has(step: int, wrong: int | None, end: str) -> None:
    pictures = [PICTURE, OTHER, PICTURE]
    lengths = [None if wrong is None else len(picture) + wrong for picture in pictures]
    data = b"".join(part(p, n, end=end) for p, n in zip(pictures, lengths, strict=True)) + b"--frame"
    assert [each.data for each in split(data, step)] == pictures


def test_with_its_length_a_picture_need_not_wait_for_the_next() -> None:
    assert [each.data for each in split(part(PICTURE, len(PICTURE)), 100)] == [PICTURE]


@pytest.mark.parametrize("boundary", ["frame", "--frame", '"frame"'])
def test_a_boundary_as_cameras_write_it(boundary: str) -> None:
    assert len(split(part(PICTURE) + b"--frame\r\n", 100, boundary)) == 1


def test_half_a_picture_is_damaged() -> None:
    half = PICTURE[: len(PICTURE) // 2]
    found = split(part(half, len(half)) + part(PICTURE, len(PICTURE)), 100)
    assert [each.damaged for each in found] == [True, False]


@pytest.mark.parametrize(("said", "seconds"), [("12.5", 12.5), ("soon", None), ("", None)])
def test_the_cameras_own_time(said: str, seconds: float | None) -> None:
    (found,) = split(part(PICTURE, len(PICTURE), f"X-Timestamp: {said}"), 100)
    assert found.sent_s == seconds


@given(st.binary(max_size=3000), st.integers(1, 500))
def test_rubbish_is_passed_over(rubbish: bytes, step: int) -> None:
    found = split(rubbish + b"\r\n" + part(PICTURE, len(PICTURE)) + part(OTHER) + b"--frame", step)
    assert found[-1].data == OTHER


def test_what_never_ends_is_not_kept() -> None:
    splitter = MultipartSplitter("frame")
    splitter.feed(part(b"", None))
    for _ in range(70):
        splitter.feed(bytes(1_000_000))
        assert splitter.pending <= MAX_PART_BYTES


PICTURES = [cv2.imencode(".jpg", street(seed, 64, 48))[1].tobytes() for seed in range(6)]
CHEAP = cheap_bodies(PICTURES)


@pytest.mark.parametrize("kind", CHEAP)
@pytest.mark.parametrize("step", [1, 7, 1460, 10**6])
def test_every_picture_of_a_cheap_camera(kind: str, step: int) -> None:
    body = b"".join(CHEAP[kind])
    assert [each.data.rstrip(b"\0") for each in split(body, step)] == PICTURES


@pytest.mark.parametrize("kind", [kind for kind in CHEAP if kind != "text between"])
def test_a_picture_is_passed_on_before_the_next_comes(kind: str) -> None:
    splitter = MultipartSplitter("frame")
    assert [len(splitter.feed(piece)) for piece in CHEAP[kind]] == [1] * len(PICTURES)


def test_a_thumbnail_within_a_picture_does_not_end_it() -> None:
    thumbnail = OTHER
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    picture = PICTURE[:2] + segment + PICTURE[2:]
    for boundary in (True, False):
        data = part(picture) if boundary else picture
        assert [each.data for each in split(data * 2, 50)] == [picture] * 2


def test_bare_pictures_without_their_ends_are_damaged() -> None:
    half = PICTURE[: len(PICTURE) // 2]
    found = split(half + PICTURE + half + PICTURE, 100)
    assert [each.damaged for each in found] == [True, False, True, False]


def test_the_cameras_own_time_without_a_boundary() -> None:
    (found,) = split(b"Content-Type: image/jpeg\r\nX-Timestamp: 12.5\r\n\r\n" + PICTURE, 100)
    assert found.sent_s == 12.5
