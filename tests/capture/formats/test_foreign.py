"""Files that are no pictures or videos that can be read are named, with the cure; odd names are read."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from capture.camera import CameraUnusable
from capture.factory import open_camera, open_path
from capture.files import ImageFolder, VideoFile
from capture.formats.foreign import foreign_format
from capture.settings import CaptureSettings
from tests.capture.made import number, numbered, street, write_picture, write_video
from tests.capture.servers import ffmpeg
from tests.capture.test_files import frames

SETTINGS = CaptureSettings()


def brand(major: bytes, *compatible: bytes) -> bytes:
    body = b"ftyp" + major + b"\0\0\0\0" + b"".join(compatible)
    return (len(body) + 4).to_bytes(4, "big") + body + bytes(200)


HEADS = {
    "HEIC": [brand(b"heic", b"mif1", b"heic"), brand(b"mif1", b"heic"), brand(b"heix"), brand(b"msf1")],
    "AVIF": [brand(b"avif", b"mif1"), brand(b"mif1", b"avif"), brand(b"avis")],
    "TIFF": [b"II*\0" + bytes(99), b"MM\0*" + bytes(99)],
    "JPEG XL": [b"\xff\x0a" + bytes(99), b"\0\0\0\x0cJXL " + bytes(99)],
    "JPEG 2000": [b"\0\0\0\x0cjP  " + bytes(99)],
    "raw": [brand(b"crx "), b"FUJIFILMCCD-RAW" + bytes(99)],
}
CASES = [(name, head) for name, heads in HEADS.items() for head in heads]


def refusal(path: Path) -> str:
    with pytest.raises(CameraUnusable) as caught:
        open_path(path, SETTINGS)
    return str(caught.value)


@pytest.mark.parametrize(("name", "head"), CASES)
@pytest.mark.parametrize("suffix", [".HEIC", ".jpg", ""])
def test_a_picture_that_cannot_be_read_is_named_with_its_cure(
    tmp_path: Path, name: str, head: bytes, suffix: str
) -> None:
    path = tmp_path / f"IMG_1{suffix}"
    path.write_bytes(head)
    said = refusal(path)
    assert f"is a {name} picture, which cannot be read; " in said
    assert "JPEG" in said.partition(";")[2]


def test_real_avif_and_tiff(tmp_path: Path) -> None:
    assert "AVIF" in refusal(write_picture(tmp_path / "one.avif", street()))
    assert "TIFF" in refusal(write_picture(tmp_path / "one.tiff", street()))


def test_a_video_is_no_picture(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mp4", [street()], codec="mp4v")
    assert foreign_format(clip.read_bytes()[:64]) is None


def test_av1_is_named_with_its_cure(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    source = ["-f", "lavfi", "-i", "testsrc=size=160x120:rate=5:duration=1", "-c:v", "libsvtav1"]
    made = subprocess.run([ffmpeg(), "-v", "error", *source, str(clip)], check=False, capture_output=True)
    if made.returncode:
        pytest.skip("this ffmpeg cannot write AV1")
    assert "is AV1 video, which cannot be read; convert it (ffmpeg" in refusal(clip)


def test_what_a_folder_leaves_out_is_counted_with_the_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for value, name in enumerate(("1.jpg", "2.PNG", "3.jfif", "4"), start=1):
        data = cv2.imencode(".png" if name == "2.PNG" else ".jpg", numbered(value))[1]
        (tmp_path / name).write_bytes(data.tobytes())
    for number_, name in enumerate(("HEIC", "HEIC", "AVIF", "TIFF")):
        (tmp_path / f"IMG_{number_}.{name}").write_bytes(HEADS[name][0])
    (tmp_path / "labels.json").write_text("{}")
    (tmp_path / "BMW.txt").write_text("BMW is no bitmap")
    (tmp_path / ".hidden.HEIC").write_bytes(HEADS["HEIC"][0])
    write_video(tmp_path / "clip.avi", [street()])
    camera = ImageFolder(tmp_path, SETTINGS)
    assert sorted(number(frame.image) for frame in frames(camera)) == [1, 2, 3, 4]
    assert camera.damage is not None
    assert "5 files were left out (1 AVIF, 2 HEIC, 1 TIFF, 1 video)" in camera.damage
    assert "convert pictures to JPEG, name a video by itself" in camera.damage
    assert camera.damage in caplog.text


def test_a_folder_of_nothing_else_says_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "IMG_1.HEIC").write_bytes(HEADS["HEIC"][0])
    assert "1 file was left out (1 HEIC); convert" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["raw.mjpeg", "raw.mjpg", "raw.bin", "raw"])
def test_jpegs_one_behind_the_other_are_a_video(tmp_path: Path, name: str) -> None:
    pictures = [cv2.imencode(".jpg", np.full((120, 160, 3), 8 * i, np.uint8))[1].tobytes() for i in range(30)]
    (tmp_path / name).write_bytes(b"".join(pictures))
    camera = open_camera(str(tmp_path / name), SETTINGS)
    assert isinstance(camera, VideoFile)
    assert [round(float(frame.image.mean()) / 8) for frame in frames(camera)] == list(range(30))
    assert camera.damage is None


def test_a_picture_with_another_behind_it_is_one_picture(tmp_path: Path) -> None:
    """As telephones store a map of depth or brightness."""
    pictures = [cv2.imencode(".jpg", street(i))[1].tobytes() for i in range(2)]
    (tmp_path / "IMG_1.jpg").write_bytes(b"".join(pictures))
    assert len(frames(open_path(tmp_path / "IMG_1.jpg", SETTINGS))) == 1


ODD = [b"\xff\xfe clip", b"caf\xe9", "거리".encode("euc-kr")]


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("suffix", [b".avi", b".mp4", b".mjpeg", b".jpg"])
def test_a_name_that_is_no_utf_8_is_read(tmp_path: Path, name: bytes, suffix: bytes) -> None:
    made = tmp_path / f"made{suffix.decode()}"
    if suffix in (b".avi", b".mp4"):
        write_video(made, [street(i) for i in range(3)], codec="MJPG" if suffix == b".avi" else "mp4v")
    else:
        count = 1 if suffix == b".jpg" else 3
        made.write_bytes(b"".join(cv2.imencode(".jpg", street(i))[1].tobytes() for i in range(count)))
    odd = made.rename(os.fsdecode(os.fsencode(tmp_path) + b"/" + name + suffix))
    found = frames(open_camera(str(odd), SETTINGS))
    assert len(found) == (1 if suffix == b".jpg" else 3)
    json.dumps(found[0].source, ensure_ascii=False).encode()


def test_a_broken_file_of_such_a_name_is_one_clear_line(tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp4"))
    odd.write_text("no video")
    refusal(odd).encode()
    refusal(odd.with_suffix(".avi")).encode()


def test_an_address_without_its_scheme_is_hinted_at() -> None:
    with pytest.raises(CameraUnusable, match="an address begins with http:// or rtsp://"):
        open_camera("camera.local/video", SETTINGS)
