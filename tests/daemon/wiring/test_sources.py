"""What `capture.source` means: a service never takes the demo clip for the street."""

from __future__ import annotations

from pathlib import Path

import pytest

from capture.camera import CameraUnusable
from capture.v4l2 import Device
from daemon.config.settings import Settings, defaults
from daemon.process.systemd import is_service
from daemon.wiring.sources import choose_source, open_recorded


def _settings(source: str, home: Path) -> Settings:
    settings = defaults({"HOME": str(home)})
    return settings.model_copy(update={"capture": settings.capture.model_copy(update={"source": source})})


CAMERA = Device(Path("/dev/v4l/by-id/one"), Path("/dev/video0"), "one")


@pytest.mark.parametrize(
    ("source", "service", "devices", "means"),
    [
        ("auto", False, (), "demo"),
        ("auto", True, (), "auto"),
        ("auto", False, (CAMERA,), "/dev/v4l/by-id/one"),
        ("auto", True, (CAMERA,), "/dev/v4l/by-id/one"),
        ("demo", True, (), "demo"),
        ("rtsp://camera/1", True, (), "rtsp://camera/1"),
    ],
)
def test_auto_is_the_first_camera_else_the_demo_but_for_a_service(
    tmp_path: Path, source: str, service: bool, devices: tuple[Device, ...], means: str
) -> None:
    settings = _settings(source, tmp_path)
    assert choose_source(settings, service=service, devices=lambda: devices) == means


@pytest.mark.parametrize(
    ("env", "service"),
    [
        ({}, False),
        ({"NOTIFY_SOCKET": "/run/systemd/notify"}, True),
        ({"INVOCATION_ID": "1f"}, True),
        ({"INVOCATION_ID": "1f", "SYSTEMD_EXEC_PID": "7"}, True),
        ({"INVOCATION_ID": "1f", "SYSTEMD_EXEC_PID": "6"}, True),
        ({"INVOCATION_ID": "1f", "SYSTEMD_EXEC_PID": "3"}, False),
    ],
)
def test_a_service_is_told_from_a_terminal_that_is_a_unit(env: dict[str, str], service: bool) -> None:
    assert is_service(env, (7, 6)) is service


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("0", "camera"),
        ("auto", "camera"),
        ("/dev/video0", "camera"),
        ("rtsp://camera/1", "stream"),
        ("192.168.1.5:8080/video", "stream"),
        ("rtsp//camera/1", "stream"),
    ],
)
def test_only_a_recording_is_replayed(tmp_path: Path, source: str, kind: str) -> None:
    with pytest.raises(CameraUnusable, match=f"is a {kind}, no recording; `watchword run` watches those"):
        open_recorded(_settings("auto", tmp_path), source)
