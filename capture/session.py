"""One life of the capture thread: open the camera, read until it fails or ends, close it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from capture.camera import Camera, CameraLost
from capture.frame import Frame
from capture.settings import CaptureSettings

T = TypeVar("T")
_GRACE_S = 2.0
"""Seconds a native call may overrun its own timeout before the thread counts as stuck."""
_LARGEST_LAG_S = 1.0
"""Seconds that a file may lag behind its own pace before the lag is accepted instead of caught up."""


class FramePacer:
    """Computes when the frames of a file are due, so that it plays at the rate of its recording."""

    def __init__(self, lone_s: float = 0.0) -> None:
        """`lone_s`: how long a file's only frame lasts."""
        self._start_s: float | None = None
        self._last_s: float | None = None
        self._step_s = lone_s

    def delay_s(self, stream_s: float, now: float) -> float:
        """Seconds to wait before the frame with the time `stream_s`. A long lag is not caught up."""
        # After a pause, frames continue at their own rate instead of following in a rush.
        if self._start_s is None or now - self._start_s - stream_s > _LARGEST_LAG_S:
            self._start_s = now - stream_s
        if self._last_s is not None:
            self._step_s = stream_s - self._last_s
        self._last_s = stream_s
        return max(0.0, self._start_s + stream_s - now)

    def rest_s(self, now: float) -> float:
        """Seconds until the last frame ends. It is assumed to last as long as the one before it."""
        if self._start_s is None or self._last_s is None:
            return 0.0
        return max(0.0, self._start_s + self._last_s + self._step_s - now)


class CaptureSession:
    """Opens, reads and closes a camera in a thread. Nothing waits for it: a native call may hang there."""

    def __init__(
        self,
        open_camera: Callable[[], Camera],
        deliver: Callable[[CaptureSession, Frame], bool],
        settings: CaptureSettings,
        clock: Callable[[], float],
        stopping: threading.Event,
        finished: threading.Event,
    ) -> None:
        """`deliver` receives each frame and returns whether to continue. `finished` is set at the end."""
        self._open_camera = open_camera
        self._deliver = deliver
        self._settings = settings
        self._clock = clock
        self._stopping = stopping
        self._finished = finished
        # When the native call began and how long it may take. One tuple, assigned at once: the watching
        # thread reads it without a lock.
        self._calling: tuple[float, float] | None = None
        self.over = False
        self.live = False
        """True once a live source is open: its pictures are lost if they are not read in time."""
        self.error: BaseException | None = None
        """The reason of the end; None if the source has ended, or `deliver` wanted no more frames."""
        self.thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def start(self) -> None:
        self.thread.start()

    def waited_s(self, now: float) -> float:
        """Seconds that the present native call has taken so far; 0 if there is none."""
        # Read once: the capture thread may clear it between two reads.
        calling = self._calling
        return now - calling[0] if calling else 0.0

    def is_stuck(self, now: float) -> bool:
        """True if a native call has overrun its timeout by more than _GRACE_S."""
        calling = self._calling
        return calling is not None and now - calling[0] > calling[1] + _GRACE_S

    def _run(self) -> None:
        try:
            self._capture()
        except BaseException as error:  # whatever it is, the thread is gone
            self.error = error
        finally:
            # In this order: `_follow` wakes by the event and then reads `over` and `error`.
            self.over = True
            self._finished.set()

    def _capture(self) -> None:
        camera = self._native(self._settings.open_timeout_s, self._open_camera)
        self.live = camera.live
        try:
            self._read(camera)
        finally:
            self._native(self._settings.read_timeout_s, camera.close)

    def _read(self, camera: Camera) -> None:
        pace = FramePacer(lone_s=1 / self._settings.folder_fps)
        while not self._stopping.is_set():
            frame = self._native(self._settings.read_timeout_s, camera.read)
            if frame is None:
                if camera.live:
                    # A live source should not end. Treated as a loss, it is opened again.
                    raise CameraLost(f"{camera.source} has ended")
                if self._settings.loop:
                    self._stopping.wait(pace.rest_s(self._clock()))
                return
            if not camera.live:
                frame = self._paced(frame, pace)
            if not self._deliver(self, frame):
                return

    def _paced(self, frame: Frame, pace: FramePacer) -> Frame:
        # Not time.sleep: a stop must not wait for a frame that is due in seconds.
        self._stopping.wait(pace.delay_s(frame.captured_at_s, self._clock()))
        # Stamped by the live clock: the core compares it with `now`, not with stream time.
        return replace(frame, captured_at_s=self._clock())

    def _native(self, allowed_s: float, call: Callable[[], T]) -> T:
        self._calling = self._clock(), allowed_s
        try:
            return call()
        finally:
            self._calling = None
