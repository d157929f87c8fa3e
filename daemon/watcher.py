"""The hot loop: the newest frame in, its assessment into the core. Nothing here waits for anybody else."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from capture.frame import Frame
from daemon.answers.outlook import Outlook, Sighting
from daemon.core import Core
from daemon.core_types import Assessed, Tick
from daemon.health import OK, Report
from daemon.ledger import Ledger
from daemon.mind import Mind
from daemon.narrator import View
from pipeline.assessor import Assessor
from pipeline.watch import Active

log = logging.getLogger(__name__)

IDLE_S = 0.25
"""Without a frame for this long the core is told that time has passed."""


class Frames(Protocol):
    """Where frames wait."""

    def take(self, timeout_s: float, /) -> Frame | None: ...

    @property
    def closed(self) -> bool: ...


class Watcher:
    """Drives the core with frames. `view` is the last one assessed."""

    def __init__(
        self,
        frames: Frames,
        assessor: Assessor,
        mind: Mind,
        ledger: Ledger,
        clock: Callable[[], float],
        beat: Callable[[], None],
        late_s: float,
        unseen: Callable[[], str] = lambda: "",
        outlook: Outlook | None = None,
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
        self._late_s = late_s
        self._unseen = unseen
        self._outlook = outlook
        self._late = False
        self._closed = threading.Event()
        self.view: View | None = None
        self.assessed = 0
        self.first_at_s: float | None = None
        """When the first frame had been assessed."""

    def run(self) -> None:
        """Assess until `close`, or until the frames have come to their end."""
        while not self._closed.is_set():
            self._beat()
            frame = self._frames.take(IDLE_S)
            if frame is not None:
                self._frame(frame)
            elif self._frames.closed:
                return
            else:
                self._mind.step(Tick())

    def close(self) -> None:
        """Let `run` end after the frame it is at."""
        self._closed.set()

    def use(self, assessor: Assessor) -> None:
        """From the next frame on; of the same hazards, in the same order."""
        self._assessor = assessor

    def _frame(self, frame: Frame) -> None:
        taken_s = self._clock()
        assessment = self._assessor.assess(frame, self._mind.ask(lambda core: core.watch.focus()))
        done_s = self._clock()
        self.view = View(frame, assessment)
        waited_s, took_s = taken_s - frame.captured_at_s, done_s - taken_s
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
            smoothed, active = self._mind.ask(_known)
            self._outlook.note(Sighting(frame, smoothed, active))

    def _lateness(self, age_s: float) -> None:
        """Told when frames are assessed so late that a warning comes too late."""
        late = age_s > self._late_s
        if late != self._late:
            self._late = late
            self._mind.step(Report("detector", "late" if late else OK, f"frames are {age_s:.2f} s old"))


def _known(core: Core) -> tuple[NDArray[np.float64], Mapping[str, Active]]:
    return core.watch.smoothed, core.watch.active
