from __future__ import annotations

import os
from pathlib import Path

import pytest

from capture.camera import CameraLost, CameraUnusable
from capture.factory import open_camera
from capture.settings import CaptureSettings
from capture.v4l2 import Device, camera_name, check_device, list_devices

SETTINGS = CaptureSettings()


@pytest.fixture
def dev(tmp_path: Path) -> Path:
    """A /dev with a camera of two nodes (pictures, metadata), and one without a lasting name."""
    for node in ("video0", "video1", "video10", "video2", "videodrome"):
        (tmp_path / node).touch()
    lasting = tmp_path / "v4l" / "by-id"
    lasting.mkdir(parents=True)
    (lasting / "usb-Maker_Cam-video-index0").symlink_to(tmp_path / "video0")
    (lasting / "usb-Maker_Cam-video-index1").symlink_to(tmp_path / "video1")
    return tmp_path


def test_cameras_are_listed_by_their_lasting_names(dev: Path) -> None:
    names = {"video0": "Cam", "video10": "Ten", "video2": "Two"}
    found = list_devices(dev, lambda node: names.get(node.name))
    assert found == (
        Device(dev / "v4l" / "by-id" / "usb-Maker_Cam-video-index0", dev / "video0", "Cam"),
        Device(dev / "video2", dev / "video2", "Two"),
        Device(dev / "video10", dev / "video10", "Ten"),
    )


def test_without_cameras_there_is_none(tmp_path: Path) -> None:
    assert list_devices(tmp_path) == ()


def test_what_is_no_camera_has_no_name(dev: Path) -> None:
    assert camera_name(dev / "video0") is None
    assert camera_name(Path("/dev/null")) is None
    assert camera_name(dev / "missing") is None


def test_a_camera_that_is_not_plugged_in_may_come_back() -> None:
    with pytest.raises(CameraLost, match="plug the camera in"):
        check_device(Path("/dev/video987"))
    with pytest.raises(CameraLost, match="video987"):
        open_camera("987", SETTINGS)
    with pytest.raises(CameraLost, match="by-id"):
        open_camera("/dev/v4l/by-id/usb-nothing-index0", SETTINGS)


def test_a_plain_file_is_no_camera(dev: Path) -> None:
    with pytest.raises(CameraUnusable, match="not a camera device"):
        check_device(dev / "video0")


@pytest.mark.timeout(30)
def test_a_device_that_is_no_camera_is_told_from_one() -> None:
    if not os.access("/dev/null", os.R_OK | os.W_OK):
        pytest.skip("no /dev/null")
    from capture.v4l2 import V4l2Camera

    with pytest.raises(CameraLost, match="delivers no pictures"):
        V4l2Camera(Path("/dev/null"), SETTINGS)


def test_auto_without_a_camera_waits_for_one_and_says_what_else_there_is() -> None:
    if list_devices():
        pytest.skip("a camera is plugged in")
    with pytest.raises(CameraLost, match="no camera found"):
        open_camera("auto", SETTINGS)


def test_an_empty_source() -> None:
    with pytest.raises(CameraUnusable, match="empty"):
        open_camera(" ", SETTINGS)


def test_a_real_camera_delivers() -> None:
    devices = list_devices()
    if not devices:
        pytest.skip("no camera is plugged in")
    camera = open_camera(str(devices[0].path), SETTINGS)
    assert camera.live
    assert camera.read() is not None
    camera.close()
