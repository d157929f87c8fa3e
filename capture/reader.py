"""Keeping a slot filled from a camera that may be lost, come back, hang, or end."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from capture.camera import Camera, CameraError, CameraLate, CameraUnusable
from capture.frame import Frame
from capture.quality import FaultChange, FrameInspector, ImageFault
from capture.rate import FrameRateMonitor
from capture.session import CaptureSession
from capture.settings import CaptureSettings
from capture.slot import LatestSlot
from common.backoff import Backoff

_log = logging.getLogger(__name__)
_FIRST_RETRY_S = 0.25
_MOST_STUCK = 3
"""Capture threads stuck in native calls beyond which only a new process helps."""
_LOOK_S = 0.1
"""Seconds between two looks at the capture thread."""
_SLOW_FACTOR = 2.0
"""A camera that sends rarely is lost after so many of its own intervals, if that is more than `stall_s`."""
_STEADY_S = 10.0
"""Seconds of pictures after which retries begin with the shortest wait again."""
_SHOWING_RETRY_S = 1.0
"""The longest wait after a connection that brought a picture, if it did not bring them for longer."""


class CameraState(StrEnum):
    """The state of the source; `ended` and those after it are final."""

    OPENING = "opening"
    LIVE = "live"
    LOST = "lost"
    ENDED = "ended"
    UNUSABLE = "unusable"
    """It can never work as configured."""
    STUCK = "stuck"
    """Too many native calls hang: the process must be started again."""
    FAILED = "failed"
    """An unexpected error; the log has its traceback."""


@dataclass(frozen=True, slots=True)
class CameraEvent:
    """The state of the source changed."""

    state: CameraState
    reason: str
    """One line for people; empty for `opening` and `live`."""
    at_s: float


class Reader:
    """Fills `slot` with upright frames, numbered on through every reopening, until stopped or ended.

    A watching thread runs capture threads, one at a time, and gives one up when a native call hangs in
    it: its pictures are ignored from then on. Files run at the pace they were recorded. `on_event` is
    called from both threads and must not wait.
    """

    def __init__(
        self,
        open_camera: Callable[[], Camera],
        slot: LatestSlot[Frame],
        settings: CaptureSettings,
        on_event: Callable[[CameraEvent | FaultChange], None],
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`jitter` returns numbers from 0 to 1; `clock` must be the one live cameras stamp by."""
        self._open_camera = open_camera
        self._slot = slot
        self._settings = settings
        self._on_event = on_event
        self._clock = clock
        self._backoff = Backoff(_FIRST_RETRY_S, settings.retry_max_s, jitter)
        self._inspector = FrameInspector(settings)
        self._rate = FrameRateMonitor(settings.slow_fps)
        self._session_seq = -1
        self._passed_over = 0
        # Guards the session, the state and the counters, which the watching and the capture thread both
        # change.
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._finished = threading.Event()
        self._session: CaptureSession | None = None
        self._live_since_s: float | None = None
        self._stuck: list[threading.Thread] = []
        self._frames = 0
        self._last_frame_at_s: float | None = None
        self._event = CameraEvent(CameraState.OPENING, "", clock())
        self._heartbeat_s = clock()
        self._watcher = threading.Thread(target=self._watch, name="capture-watch", daemon=True)

    @property
    def event(self) -> CameraEvent:
        """The state as it is now, with its reason."""
        return self._event

    @property
    def frames(self) -> int:
        """Frames that the source sent so far, through all reopenings."""
        return self._frames

    @property
    def passed_over(self) -> int:
        """Frames of these that were never decoded, because a newer one had come."""
        return self._passed_over

    @property
    def last_frame_at_s(self) -> float | None:
        """When the latest frame was captured."""
        return self._last_frame_at_s

    @property
    def unusable_reason(self) -> ImageFault | None:
        """Why the pictures of this moment show too little to be described; None if they do not."""
        return self._inspector.judge.unusable_reason

    @property
    def heartbeat_s(self) -> float:
        """When the watching thread last looked; it does so ten times a second even if the camera hangs."""
        return self._heartbeat_s

    @property
    def stuck_threads(self) -> int:
        """Given-up threads that still hang."""
        return sum(thread.is_alive() for thread in self._stuck)

    @property
    def alive(self) -> bool:
        """False before the start and after the end."""
        return self._watcher.is_alive()

    def start(self) -> None:
        self._watcher.start()

    def stop(self, timeout_s: float = 2.0) -> bool:
        """End the threads and close the slot; False if one still hangs after `timeout_s`."""
        # Flags first, so that nothing starts again; then the slot, which wakes a capture thread that waits in
        # `put`.
        self._stopping.set()
        self._finished.set()
        self._slot.close()
        until_s = time.monotonic() + timeout_s
        session = self._session
        threads = [self._watcher, *([session.thread] if session else []), *self._stuck]
        for thread in threads:
            # A thread that never started cannot be joined.
            if thread.is_alive():
                thread.join(max(0.0, until_s - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _watch(self) -> None:
        try:
            going_on = True
            while going_on and not self._stopping.is_set():
                session = self._begin()
                self._follow(session)
                # Not concluded after a stop, which is neither a loss nor an end of the source.
                going_on = self._stopping.is_set() or self._conclude(session)
        except Exception as error:
            self._fail(error)
        finally:
            self._slot.close()

    def _begin(self) -> CaptureSession:
        self._finished.clear()
        session = CaptureSession(
            self._open_camera, self._deliver, self._settings, self._clock, self._stopping, self._finished
        )
        with self._lock:
            self._session = session
            # Each session counts its frames from 0 again.
            self._session_seq = -1
            self._live_since_s = None
        session.start()
        return session

    def _follow(self, session: CaptureSession) -> None:
        """Return when the session is over or stuck, or the reader is stopped."""
        while not (session.over or session.is_stuck(self._clock()) or self._stopping.is_set()):
            with self._lock:
                waited_s = session.waited_s(self._clock())
                # A camera of one picture in ten seconds is not lost after three.
                patience_s = max(self._settings.stall_s, _SLOW_FACTOR * self._rate.interval_s)
                if self._event.state is CameraState.LIVE and waited_s > patience_s:
                    self._report(CameraState.LOST, f"no picture for {waited_s:.1f} s")
            self._finished.wait(_LOOK_S)
            self._heartbeat_s = self._clock()

    def _conclude(self, session: CaptureSession) -> bool:
        """Return True, after a wait if one is needed, if another session is to be started."""
        with self._lock:
            self._session = None
        error = session.error
        if not session.over:
            return self._give_up(session)
        if error is None:
            return self._settings.loop or self._end(CameraState.ENDED, "the file is over")
        # Only if it never worked: a camera that has delivered pictures may recover from any error.
        if isinstance(error, CameraUnusable) and not self._frames:
            return self._end(CameraState.UNUSABLE, str(error))
        if not isinstance(error, CameraError):
            return self._fail(error)
        if isinstance(error, CameraLate):
            _log.warning("%s", error)
            return True  # at once, and not as a loss: it is there
        return self._try_again(str(error))

    def _fail(self, error: BaseException) -> bool:
        _log.error("capture failed", exc_info=error)
        return self._end(CameraState.FAILED, f"{type(error).__name__}: {error}")

    def _give_up(self, session: CaptureSession) -> bool:
        # A thread whose call returned after all no longer counts.
        self._stuck = [thread for thread in self._stuck if thread.is_alive()] + [session.thread]
        reason = f"the camera has not answered for {session.waited_s(self._clock()):.0f} s"
        # Python cannot end a thread in a native call; each one leaks, so the number is bounded.
        if len(self._stuck) > _MOST_STUCK:
            return self._end(
                CameraState.STUCK, f"{reason}, {len(self._stuck)} times over; restart the program"
            )
        return self._try_again(reason)

    def _try_again(self, reason: str) -> bool:
        with self._lock:
            if self._event.state is CameraState.LOST:
                self._event = replace(self._event, reason=reason)
            else:
                self._report(CameraState.LOST, reason)
        self._rest(self._retry_wait_s())
        return True

    def _retry_wait_s(self) -> float:
        # Counted in pictures, not in time since opening: a camera that opens and sends nothing is not steady.
        if self._live_since_s is None:
            return self._backoff.next_s()
        live_s = (self._last_frame_at_s or self._live_since_s) - self._live_since_s
        if live_s > _STEADY_S:
            self._backoff.reset()
        # A camera that shows a little each time is worth asking often: a danger may be in any picture.
        return min(self._backoff.next_s(), max(_SHOWING_RETRY_S, live_s))

    def _rest(self, seconds: float) -> None:
        # In small steps, so that the heartbeat goes on during a long wait.
        until_s = self._clock() + seconds
        while self._clock() < until_s and not self._stopping.wait(min(_LOOK_S, seconds)):
            self._heartbeat_s = self._clock()

    def _end(self, state: CameraState, reason: str) -> bool:
        with self._lock:
            self._report(state, reason)
        return False

    def _deliver(self, session: CaptureSession, frame: Frame) -> bool:
        """Called by a capture thread; False tells it to stop."""
        with self._lock:
            # A stuck thread has returned after it was replaced by another one.
            if session is not self._session:
                return False
            if self._live_since_s is None:
                self._live_since_s = frame.captured_at_s
            if self._event.state is not CameraState.LIVE:
                self._report(CameraState.LIVE, "")
            sent = max(1, frame.seq - self._session_seq)
            self._session_seq = frame.seq
            self._passed_over += sent - 1
            # A new session may estimate a larger delay, but the times must never go back.
            at_s = max(frame.captured_at_s, self._last_frame_at_s or frame.captured_at_s)
            frame = replace(frame, seq=self._frames + sent - 1, captured_at_s=at_s)
            self._frames += sent
            self._last_frame_at_s = frame.captured_at_s
            for change in self._inspector.step(frame):
                self._on_event(change)
            # By arrival: skipped pictures are this program's fault, not the camera's.
            if session.live and sent == 1 and self._rate.step(self._clock()):
                self._on_event(FaultChange(ImageFault.SLOW, self._rate.too_slow, frame.captured_at_s))
        # Outside the lock: for files this waits for the consumer, and the watcher needs the lock meanwhile.
        while not self._slot.put(frame, _LOOK_S):
            if self._slot.closed or session is not self._session:
                return False
        return True

    def _report(self, state: CameraState, reason: str) -> None:
        self._event = CameraEvent(state, reason, self._clock())
        fine = state in (CameraState.LIVE, CameraState.ENDED)
        _log.log(
            logging.INFO if fine else logging.WARNING, "camera %s%s", state, f": {reason}" if reason else ""
        )
        self._on_event(self._event)
