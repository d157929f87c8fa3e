"""The hot loop: the newest frame in, its assessment into the core. Nothing here waits for anybody else."""

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
from daemon.runtime.latest_frame import FrameSnapshot, LatestFrame
from daemon.runtime.metrics import Metrics
from pipeline.alerting.alert_policy import ActiveAlert
from pipeline.detection.detector import Detector, NotFiniteError

log = logging.getLogger(__name__)

IDLE_S = 0.25
"""Without a frame for this long the core is told that time has passed."""

MENDED_S = 0.5
"""Without a frame of which nothing can be said for this long, the detector works again."""


class Frames(Protocol):
    """Where frames wait."""

    def take(self, timeout_s: float, /) -> Frame | None: ...

    @property
    def closed(self) -> bool: ...


class DetectionLoop:
    """Drives the core with frames. `view` is the last one assessed."""

    def __init__(
        self,
        frames: Frames,
        assessor: Detector,
        mind: CoreRunner,
        ledger: Metrics,
        clock: Callable[[], float],
        beat: Callable[[], None],
        late_s: float,
        unseen: Callable[[], str] = lambda: "",
        outlook: LatestFrame | None = None,
    ) -> None:
        """`unseen`: why the present picture shows too little to be described, see `Assessed`.

        `outlook` is shown each frame once it has been assessed.
        """
        self._frames = frames
        self._assessor = assessor
        self._mind = mind
        self._ledger = ledger
        self._clock = clock
        self._beat = beat
        self.late_s = late_s
        """Seconds from frame to assessment that are told as late."""
        self._unseen = unseen
        self._outlook = outlook
        self._trouble = OK
        self._telling = threading.Lock()
        self._broken_s = -math.inf
        self._looking = threading.Lock()
        self._closed = threading.Event()
        self.view: View | None = None
        self.assessed = 0
        self.broken = 0
        """Frames that were dropped because nothing can be said of them."""
        self.first_at_s: float | None = None
        """When the first frame had been assessed."""

    def run(self) -> None:
        """Assess until `close`, or until the frames have come to their end."""
        while not self._closed.is_set():
            self._beat()
            frame = self._frames.take(IDLE_S)
            if frame is not None:
                with self._looking:
                    self._frame(frame)
            elif self._frames.closed:
                return
            else:
                self._mind.step(CoreTick())

    def close(self) -> None:
        """Let `run` end after the frame it is at."""
        self._closed.set()

    def hung(self, silent_s: float) -> None:
        """From the thread that supervises: the frame under way takes `silent_s` already.

        Whatever becomes of the next frames is told by themselves.
        """
        self._tell("hung", f"nothing assessed for {silent_s:.1f} s")

    def use(self, assessor: Detector, swap: Callable[[], None] = lambda: None) -> None:
        """From the next frame on. `swap` makes the core one of the same hazards, between two frames.

        Whoever calls waits for the frame that is being assessed; raises what `swap` raises.
        """
        with self._looking:
            swap()
            self._assessor = assessor

    def _frame(self, frame: Frame) -> None:
        taken_s = self._clock()
        try:
            assessment = self._assessor.assess(frame, self._mind.ask(lambda core: core.watch.focus()))
        except NotFiniteError as error:
            self._drop(error)
            return
        done_s = self._clock()
        self.view = View(frame, assessment)
        waited_s, took_s = taken_s - frame.captured_at_s, done_s - taken_s
        if done_s - self._broken_s > MENDED_S:
            self._lateness(done_s - frame.captured_at_s)
        self._mind.step(Assessed(assessment, self._unseen()), {"waited_s": waited_s, "assess_s": took_s})
        self.assessed += 1
        if self.first_at_s is None:
            self.first_at_s = done_s
        self._ledger.note("wait", waited_s)
        self._ledger.note("assess", took_s)
        self._ledger.note("decide", self._clock() - done_s)
        self._ledger.note("frame_age", done_s - frame.captured_at_s)
        if self._outlook is not None:
            self._outlook.note(FrameSnapshot(frame, *self._mind.ask(_known)))

    def _lateness(self, age_s: float) -> None:
        """Told when frames are assessed so late that a warning comes too late."""
        self._tell("late" if age_s > self.late_s else OK, f"frames are {age_s:.2f} s old")

    def _drop(self, error: NotFiniteError) -> None:
        """Of such a frame the core hears nothing but that time has passed."""
        self.broken += 1
        self._broken_s = self._clock()
        self._tell("failed", f"{error} ({self.broken} frames so far)")
        self._mind.step(CoreTick())

    def _tell(self, reason: str, detail: str) -> None:
        with self._telling:
            if reason != self._trouble:
                self._trouble = reason
                if reason in ("failed", "hung"):
                    log.error("the detector %s: %s", {"failed": "fails", "hung": "hangs"}[reason], detail)
                self._mind.step(Report("detector", reason, detail))


def _known(core: Core) -> tuple[NDArray[np.float64], tuple[str, ...], Mapping[str, ActiveAlert]]:
    return core.watch.smoothed, core.watch.names, core.watch.active
