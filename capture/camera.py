"""The seam to everything that delivers pictures."""

from __future__ import annotations

from typing import Protocol

from capture.frame import Frame
from common.errors import WatchwordError


class CameraError(WatchwordError):
    """Base of a camera's errors; the message has the cure."""


class CameraLost(CameraError):
    """The source stopped delivering; opening it again later may help."""


class CameraLate(CameraLost):
    """Its pictures arrive later and later; opening it again begins with the newest."""


class CameraUnusable(CameraError):
    """The source can never deliver as configured (missing file, undecodable, no permission)."""


class Camera(Protocol):
    """A source of frames. Opened by its constructor, used by one thread."""

    @property
    def source(self) -> str:
        """Name for logs and events, credentials redacted."""
        ...

    @property
    def live(self) -> bool:
        """True if frames are lost when not taken in time (a device or a stream)."""
        ...

    def read(self) -> Frame | None:
        """The next frame; None when the source has ended.

        Raises CameraLost or CameraUnusable.
        """
        ...

    def close(self) -> None:
        """Release the source; safe to call twice."""
        ...
