"""Opens network cameras: MJPEG and snapshots with readers of this package, all others through PyAV."""

from __future__ import annotations

import time
from collections.abc import Callable

from capture.camera import Camera
from capture.http.camera import open_http_camera
from capture.settings import CaptureSettings
from capture.source_clock import StampTrust
from capture.stream.target import split_address


def open_network_camera(
    url: str,
    settings: CaptureSettings,
    clock: Callable[[], float] = time.monotonic,
    trust: StampTrust | None = None,
) -> Camera:
    """Open the camera at an address. Raises CameraUnusable if the address is invalid, else CameraLost."""
    parts = split_address(url)
    camera = open_http_camera(parts, settings, clock, trust) if parts.scheme.startswith("http") else None
    if camera is not None:
        return camera
    # Imported here: PyAV contains FFmpeg, which takes 17 MB of memory and 0.3 s to load.
    from capture.stream.camera import StreamCamera

    return StreamCamera(url, settings, clock, trust)
