"""Cameras on the network: MJPEG and snapshots by readers of our own; the rest through PyAV."""

from __future__ import annotations

import time
from collections.abc import Callable

from capture.camera import Camera
from capture.http.camera import open_http_camera
from capture.settings import CaptureSettings
from capture.stream.target import split_address


def open_network_camera(
    url: str, settings: CaptureSettings, clock: Callable[[], float] = time.monotonic
) -> Camera:
    """The camera at an address. Raises CameraUnusable for one that makes no sense, else CameraLost."""
    parts = split_address(url)
    camera = open_http_camera(parts, settings, clock) if parts.scheme.startswith("http") else None
    if camera is not None:
        return camera
    # PyAV brings an FFmpeg of its own: 17 MB of memory and 0.3 s that only such streams need.
    from capture.stream.camera import StreamCamera

    return StreamCamera(url, settings, clock)
