"""Cameras on the network: MJPEG and snapshots by readers of our own; the rest through PyAV."""

from __future__ import annotations

import time
from collections.abc import Callable

from capture.http.camera import open_http_camera
from capture.http.mjpeg import MjpegCamera
from capture.http.snapshot import SnapshotCamera
from capture.settings import CaptureSettings
from capture.stream.camera import StreamCamera
from capture.stream.target import split_address


def open_network_camera(
    url: str, settings: CaptureSettings, clock: Callable[[], float] = time.monotonic
) -> MjpegCamera | SnapshotCamera | StreamCamera:
    """The camera at an address. Raises CameraUnusable for one that makes no sense, else CameraLost."""
    parts = split_address(url)
    camera = open_http_camera(parts, settings, clock) if parts.scheme.startswith("http") else None
    return camera or StreamCamera(url, settings, clock)
