"""From what a person writes as `capture.source` to a camera."""

from __future__ import annotations

from pathlib import Path

from capture.camera import Camera, CameraUnusable
from capture.files import PictureFolder, VideoFile
from capture.picture import is_still_picture
from capture.redact import redact
from capture.settings import CaptureSettings


def open_camera(spec: str, settings: CaptureSettings) -> Camera:
    """The camera that `spec` names: a video or picture file, or a folder of pictures.

    Raises CameraUnusable with one line that says what to do, CameraLost where trying again may help.
    """
    if "://" in spec:
        raise CameraUnusable(f"{redact(spec)} cannot be read here")
    return open_path(Path(spec).expanduser(), settings)


def open_path(path: Path, settings: CaptureSettings) -> VideoFile | PictureFolder:
    """A video, a picture, or the pictures of a folder, on stream time."""
    if path.is_dir() or is_still_picture(path):
        return PictureFolder(path, settings)
    return VideoFile(path, settings)
