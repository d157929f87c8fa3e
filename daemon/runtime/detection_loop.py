"""The hot loop: takes the newest frame and steps the core with its assessment. Waits for nothing else."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from capture.frame import Frame
from daemon.core.core import Core
from daemon.core.health import OK, Report
from daemon.core.messages import Assessed, CoreTick
from daemon.core.view import View
from daemon.runtime.engine import CoreRunner
from daemon.runtime.frame_budget import FrameBudget
from daemon.runtime.latest_frame import FrameSnapshot, LatestFrame
from daemon.runtime.metrics import Metrics
from pipeline.alerting.alert_policy import ActiveAlert
from pipeline.detection.detector import Detector, NotFiniteError

log = logging.getLogger(__name__)

IDLE_S = 0.25
"""Seconds without a frame after which the core gets a tick, so that its timeouts are checked."""

RECOVERED_S = 0.5
"""Seconds without a non-finite score after which the detector counts as working again."""


class FrameSource(Protocol):
    """A mailbox of frames."""

    def pop(self, timeout_s: float, /) -> Frame | None: ...

    @property
    def closed(self) -> bool: ...


class DetectionLoop:
    """Drives the core with frames. `latest_view` is the last one assessed."""

    def __init__(
        self,
        frames: FrameSource,
        detector: Detector,
        runner: CoreRunner,
        metrics: Metrics,
        clock: Callable[[], float],
        heartbeat: Callable[[], None],
        late_s: float,
        unseen_reason: Callable[[], str] = lambda: "",
        latest_frame: LatestFrame | None = None,
        budget: FrameBudget | None = None,
    ) -> None:
        """`unseen_reason`: why the present picture shows too little to be described, see `Assessed`.

        `budget`: which frames are left out; None assesses every frame.

        `latest_frame` is shown each frame once it has been assessed.
        """
        self._frames = frames
        self._detector = detector
        self._runner = runner
        self._metrics = metrics
        self._clock = clock
        self._heartbeat = heartbeat
        self.late_s = late_s
        """Seconds from frame to assessment that are reported as late."""
        self._unseen_reason = unseen_reason
        self._latest_frame = latest_frame
        self._budget = budget
        self._reported_reason = OK
        # Reports come from this loop and, if it hangs, from the main thread; compare and step must not mix.
        self._report_lock = threading.Lock()
        self._last_not_finite_s = -math.inf
        # Held for one frame, so that detector and core are replaced together, between two frames.
        self._frame_lock = threading.Lock()
        self._closed = threading.Event()
        self.latest_view: View | None = None
        self.assessed = 0
        self.left_out = 0
        """Frames that were not assessed because of the budget."""
        self.not_finite = 0
        """Frames dropped because their scores were not finite."""
        self.first_assessed_at_s: float | None = None
        """The time at which the first frame had been assessed."""

    def run(self) -> None:
        """Assess frames until `close` or until the source has ended."""
        while not self._closed.is_set():
            # Before waiting: a camera without frames is the camera's failure, not a hung detector.
            self._heartbeat()
            frame = self._frames.pop(IDLE_S)
            if frame is not None:
                with self._frame_lock:
                    self._frame(frame)
            elif self._frames.closed:
                return
            else:
                self._runner.step(CoreTick())

    @property
    def budget(self) -> FrameBudget | None:
        """Which frames are left out; None if all are assessed."""
        return self._budget

    def close(self) -> None:
        """Let `run` end after the present frame."""
        self._closed.set()

    def on_hung(self, silent_s: float) -> None:
        """Report that the present frame has taken `silent_s`. Called from the main thread.

        The next frame that is assessed reports the recovery.
        """
        self._report_health("hung", f"nothing assessed for {silent_s:.1f} s")

    def replace_detector(self, detector: Detector, update_core: Callable[[], None] = lambda: None) -> None:
        """Use another detector from the next frame on. `update_core` makes the core one of the same hazards,
        between two frames.

        The caller waits for the frame that is being assessed. Errors of `update_core` are passed on.
        """
        with self._frame_lock:
            update_core()
            self._detector = detector

    def _is_left_out(self, frame: Frame) -> bool:
        if self._budget is None:
            return False
        # Read under the core's lock, but only a flag: a suspected hazard gets every frame.
        suspected = self._runner.read(lambda core: core.alert_policy.suspected)
        return not self._budget.wants(frame.captured_at_s, suspected=suspected)

    def _frame(self, frame: Frame) -> None:
        if self._is_left_out(frame):
            self.left_out += 1
            return
        taken_s = self._clock()
        try:
            assessment = self._detector.assess(
                frame, self._runner.read(lambda core: core.alert_policy.next_crop())
            )
        except NotFiniteError as error:
            self._drop(error)
            return
        done_s = self._clock()
        self.latest_view = View(frame, assessment)
        waited_s, took_s = taken_s - frame.captured_at_s, done_s - taken_s
        # Not at the first good frame: with every second frame broken, failure and recovery would alternate.
        if done_s - self._last_not_finite_s > RECOVERED_S:
            self._check_lateness(done_s - frame.captured_at_s)
        self._runner.step(
            Assessed(assessment, self._unseen_reason()),
            {"waited_s": waited_s, "assess_s": took_s, "age_s": done_s - frame.captured_at_s},
        )
        self.assessed += 1
        if self._budget is not None:
            self._budget.on_assessed(took_s)
        if self.first_assessed_at_s is None:
            self.first_assessed_at_s = done_s
        self._metrics.record("wait", waited_s)
        self._metrics.record("assess", took_s)
        # Includes the effects: an alert's sound is on its way to the player when this time ends.
        self._metrics.record("decide", self._clock() - done_s)
        self._metrics.record("frame_age", done_s - frame.captured_at_s)
        if self._latest_frame is not None:
            self._latest_frame.update(FrameSnapshot(frame, *self._runner.read(_snapshot_state)))

    def _check_lateness(self, age_s: float) -> None:
        """Report frames that are assessed too late for a warning, and the end of it."""
        self._report_health("late" if age_s > self.late_s else OK, f"frames are {age_s:.2f} s old")

    def _drop(self, error: NotFiniteError) -> None:
        """Report the fault; for the core this frame is only a tick."""
        self.not_finite += 1
        self._last_not_finite_s = self._clock()
        self._report_health("failed", f"{error} ({self.not_finite} frames so far)")
        self._runner.step(CoreTick())

    def _report_health(self, reason: str, detail: str) -> None:
        with self._report_lock:
            # Only changes: the core repeats reminders itself, and more steps would fill the black box.
            if reason != self._reported_reason:
                self._reported_reason = reason
                if reason in ("failed", "hung"):
                    log.error("the detector %s: %s", {"failed": "fails", "hung": "hangs"}[reason], detail)
                self._runner.step(Report("detector", reason, detail))


def _snapshot_state(core: Core) -> tuple[NDArray[np.float64], tuple[str, ...], Mapping[str, ActiveAlert]]:
    return core.alert_policy.smoothed, core.alert_policy.names, core.alert_policy.active
