"""Cameras plugged into this machine, through Video4Linux."""

from __future__ import annotations

import fcntl
import math
import os
import stat
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2

from capture.camera import CameraLost, CameraUnusable
from capture.ffmpeg import retrieve
from capture.frame import Frame, Image
from capture.orient import make_frame
from capture.settings import CaptureSettings

_QUERYCAP = 0x80685600
"""VIDIOC_QUERYCAP of linux/videodev2.h: struct v4l2_capability, 104 bytes."""
_VIDEO_CAPTURE = 0x00000001
_DEVICE_CAPS = 0x80000000
_CAPABILITY = struct.Struct("16s 32s 32s I I I 3I")
_WAITED_S = 0.15
"""Age of a picture from which it has waited in the driver. Some cameras themselves hold one for 100 ms."""
_BUFFERS = 4
"""Pictures that the driver keeps for OpenCV: after so many skipped ones, the next is new."""
_PLAUSIBLE_S = 10.0
"""A larger age means that the driver stamps with another clock than the monotonic one."""
_TRIES = 25
"""Damaged pictures in a row after which a device counts as lost."""


@dataclass(frozen=True, slots=True)
class Device:
    """A camera that is plugged in."""

    path: Path
    """The name that survives unplugging and restarts, if there is one (/dev/v4l/by-id/...)."""
    node: Path
    """/dev/videoN."""
    name: str


class V4l2Camera:
    """A camera device. Pictures carry the kernel's time of capture if it is of the monotonic clock."""

    live = True

    def __init__(
        self, path: Path, settings: CaptureSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Open the device and take its first picture. Raises CameraLost or CameraUnusable."""
        check_device(path)
        self._path = path
        self._settings = settings
        self._clock = clock
        self._seq = 0
        self._passed_over = 0
        self._capture = _open(path, settings)
        # isOpened() may be true for a device that never delivers a picture.
        if not (self._capture.isOpened() and self._capture.grab()):
            self.close()
            raise CameraLost(
                f"{path} delivers no pictures; is another program using it? Unplug it and plug it in"
            )

    @property
    def source(self) -> str:
        return str(self._path)

    def read(self) -> Frame | None:
        for _ in range(_TRIES):
            if not self._capture.grab():
                break
            at_s, taken_s = self._clock(), self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            age_s = at_s - taken_s
            # Skip a picture that waited in the driver: newer ones follow it there.
            if _WAITED_S < age_s < _PLAUSIBLE_S and self._passed_over < _BUFFERS:
                self._passed_over += 1
                self._seq += 1
                continue
            self._passed_over = 0
            image = retrieve(self._capture)
            if image is not None:
                # A stamp of another clock (wall clock, or none) says nothing about the age: the time of
                # arrival is used.
                return self._frame(image, taken_s if 0 <= age_s < _PLAUSIBLE_S else at_s, taken_s)
        raise CameraLost(f"{self._path} stopped delivering pictures; check its cable")

    def close(self) -> None:
        self._capture.release()

    def _frame(self, image: Image, at_s: float, taken_s: float) -> Frame:
        self._seq += 1
        return make_frame(
            image, self._settings, seq=self._seq - 1, at_s=at_s, source=self.source, source_time_s=taken_s
        )


def list_devices(
    dev: Path = Path("/dev"), describe: Callable[[Path], str | None] | None = None
) -> tuple[Device, ...]:
    """Return the plugged-in cameras, the preferred one first. `describe` names a node; None if it is none."""
    # Reversed: of several links to one node, the first by name is assigned last and stays.
    lasting = {link.resolve(): link for link in sorted((dev / "v4l" / "by-id").glob("*"), reverse=True)}
    named = ((node, (describe or camera_name)(node)) for node in _nodes(dev))
    return tuple(Device(lasting.get(node.resolve(), node), node, name) for node, name in named if name)


def camera_name(node: Path) -> str | None:
    """Return a device's own name; None if it delivers no pictures or cannot be opened."""
    try:
        # Non-blocking: a driver may otherwise wait in open() until another program releases the device.
        handle = os.open(node, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        answer = fcntl.ioctl(handle, _QUERYCAP, bytes(_CAPABILITY.size))
    except OSError:
        return None
    finally:
        os.close(handle)
    _, card, _, _, of_driver, of_node, *_ = _CAPABILITY.unpack(answer)
    capabilities = of_node if of_driver & _DEVICE_CAPS else of_driver
    return card.split(b"\0")[0].decode(errors="replace") if capabilities & _VIDEO_CAPTURE else None


def check_device(path: Path) -> None:
    """Check a device. Raises CameraLost if nothing is plugged in, CameraUnusable if it can never be read."""
    try:
        status = path.stat()
    except OSError as error:
        raise CameraLost(
            f"{path} is not there; plug the camera in, or see `watchword check` for others"
        ) from error
    if not stat.S_ISCHR(status.st_mode):
        raise CameraUnusable(f"{path} is not a camera device; `watchword check` lists those there are")
    if not os.access(path, os.R_OK | os.W_OK):
        raise CameraUnusable(
            f"{path} may not be used by this user; add the user to the group video and log in again"
        )


def _nodes(dev: Path) -> list[Path]:
    nodes = [path for path in dev.glob("video*") if path.name[5:].isdigit()]
    return sorted(nodes, key=lambda path: int(path.name[5:]))


def _open(path: Path, settings: CaptureSettings) -> cv2.VideoCapture:
    # Read once, at the first use of V4L2 in this process; without it a stalled camera blocks for 10 s.
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(math.ceil(settings.stall_s)))
    # Compressed before the size: uncompressed, many cameras deliver large pictures at 5 a second.
    wishes = (
        (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),
        (cv2.CAP_PROP_FRAME_WIDTH, settings.device_width),
        (cv2.CAP_PROP_FRAME_HEIGHT, settings.device_height),
        (cv2.CAP_PROP_FPS, settings.device_fps),
    )
    capture = cv2.VideoCapture()
    try:
        capture.open(str(path), cv2.CAP_V4L2)
        for wish, value in wishes:
            if value:
                capture.set(wish, value)
    except cv2.error as error:
        raise CameraLost(f"{path} cannot be opened; unplug it and plug it in again") from error
    return capture
