"""Opens the camera that `capture.source` names."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from capture.camera import Camera, CameraLost, CameraUnusable
from capture.files import ImageFolder, VideoFile
from capture.image_file import is_still_image
from capture.settings import CaptureSettings
from capture.source_clock import StampTrust
from capture.v4l2 import V4l2Camera, list_devices
from common import addresses


def open_camera(
    spec: str,
    settings: CaptureSettings,
    clock: Callable[[], float] = time.monotonic,
    trust: StampTrust | None = None,
) -> Camera:
    """The camera that `spec` names: auto, 0, /dev/..., an address, a video or picture file, a folder.

    Live cameras stamp their frames by `clock`; files have stream time. `trust`: what earlier connections have
    found out about the time stamps of a network camera. Raises CameraUnusable with one line
    that has the cure, CameraLost if trying again may help.
    """
    if not spec.strip():
        raise CameraUnusable("the source is empty; name a camera, an address, a file or a folder")
    if spec == "auto":
        return V4l2Camera(_first_device(), settings, clock)
    if spec.isdecimal():
        return V4l2Camera(Path(f"/dev/video{int(spec)}"), settings, clock)
    if spec.startswith(("/dev/video", "/dev/v4l/")):
        return V4l2Camera(Path(spec), settings, clock)
    # A file name may look like an address (`clip:1`); a file that exists wins.
    if addresses.is_address(spec) and not Path(spec).exists():
        # Imported for streams only: a start with another camera need not wait for it.
        from capture.network import open_network_camera

        return open_network_camera(spec, settings, clock, trust)
    return open_path(Path(spec).expanduser(), settings)


def is_live(spec: str) -> bool:
    """True if `spec` names a device or a stream, of which pictures are lost if they are not taken in time."""
    device = spec == "auto" or spec.isdecimal() or spec.startswith(("/dev/video", "/dev/v4l/"))
    return device or (addresses.is_address(spec) and not Path(spec).exists())


def open_path(path: Path, settings: CaptureSettings) -> VideoFile | ImageFolder:
    """A video, a picture, or the pictures of a folder, on stream time."""
    if path.is_dir() or is_still_image(path):
        return ImageFolder(path, settings)
    return VideoFile(path, settings)


def _first_device() -> Path:
    devices = list_devices()
    if not devices:
        raise CameraLost("no camera found; plug one in, or name an address, a file or a folder as source")
    return devices[0].path
