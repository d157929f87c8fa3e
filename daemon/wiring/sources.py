"""Chooses and opens the source of frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from capture.camera import Camera, CameraUnusable
from capture.factory import is_live, open_path
from capture.v4l2 import Device, list_devices
from common.addresses import is_address
from common.redact import redact
from daemon.config.settings import Settings
from daemon.wiring.store import open_store

DEMO = "demo"


def choose_source(
    settings: Settings, *, service: bool = False, devices: Callable[[], Sequence[Device]] = list_devices
) -> str:
    """Resolve `capture.source`: `auto` is the first camera, else the demo clip.

    `service`: it stays `auto` if there is no camera. The wearer could not tell a clip from a street, so the
    service waits and looks for a camera each time it opens the source.
    """
    source = settings.capture.source
    if source != "auto":
        return source
    if found := devices():
        return str(found[0].path)
    return source if service else DEMO


def source_path(settings: Settings, source: str) -> str:
    """Replace `demo` by the path of the clip. Raises StoreError if it has not been pulled."""
    return str(open_store(settings).path(DEMO) / "bikes.mp4") if source == DEMO else source


def open_recorded(settings: Settings, source: str) -> Camera:
    """Open a file or folder on stream time. Raises CameraUnusable, StoreError."""
    # A stream has no end and no stream time of its own: a replay of it could not be repeated.
    if is_live(source) and not (Path(source).is_file() or Path(source).is_dir()):
        kind = "stream" if is_address(source) else "camera"
        raise CameraUnusable(f"{redact(source)} is a {kind}, no recording; `watchword run` watches those")
    return open_path(Path(source_path(settings, source)), settings.capture)
