"""A describer beside the danger lane at a camera's pace: how much each slows the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from capture.test_image import moving_test_image
from daemon.bench.harness import Figure, percentile
from daemon.bench.pipeline_under_test import FRAMES_PER_S, PipelineUnderTest
from daemon.config.settings import Settings
from daemon.runtime.frame_budget import FrameBudget
from daemon.wiring.detector import DetectorBundle

WIDTH, HEIGHT = 1280, 720


def describer_budget(settings: Settings) -> FrameBudget:
    """The budget of a daemon whose describer is a model."""
    return FrameBudget(settings.pipeline.max_fps, settings.pipeline.cpu_share, describes=True)


class PacedLane:
    """Assesses a moving view at `FRAMES_PER_S`, in a thread while `running`."""

    def __init__(self, bundle: DetectorBundle, alone_s: float, budget: FrameBudget | None = None) -> None:
        """Measures the detector by itself for `alone_s` seconds.

        `budget` leaves frames out as the daemon does while it suspects no hazard; None: every frame is
        assessed.
        """
        self._lane = PipelineUnderTest(bundle)
        self._budget = budget
        self._view = moving_test_image(WIDTH, HEIGHT)
        # The first frame compiles and allocates.
        self._lane.see(next(self._view))
        self._frame_s: list[float] = []
        self._late = 0
        self.alone_ms = self._alone(alone_s)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run it beside the body; its frames are counted from the beginning of this."""
        self._frame_s, self._late = [], 0
        stop = threading.Event()
        thread = threading.Thread(target=self._run, args=(stop,), name="paced-lane", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(10)

    def figures(self, prefix: str) -> Iterator[Figure]:
        """The lane's side: its frames while the describer worked, against those alone."""
        beside = [seconds * 1e3 for seconds in self._frame_s] or [0.0]
        note = f"alone p99 {percentile(self.alone_ms, 99):.1f} ms, at {FRAMES_PER_S:g} frames a second"
        yield Figure.p99(f"{prefix}.beside_frame_ms_p99", beside, "ms", note=note)
        share = self._late / len(beside)
        yield Figure(f"{prefix}.beside_late_frames", share, "ratio", note="frames that came too late")

    @property
    def frames(self) -> int:
        """Frames assessed since the last `running` began."""
        return len(self._frame_s)

    def _alone(self, seconds: float) -> list[float]:
        with self.running():
            time.sleep(seconds)
        return [seconds * 1e3 for seconds in self._frame_s] or [0.0]

    def _run(self, stop: threading.Event) -> None:
        due_s = time.perf_counter()
        # An event as the pace: stopping ends the wait at once.
        while not stop.wait(max(0.0, due_s - time.perf_counter())):
            began_s = time.perf_counter()
            if began_s - due_s > 1 / FRAMES_PER_S:
                self._late += 1
                due_s = began_s  # as with a camera, missed frames are lost
            self._frame(due_s)
            due_s += 1 / FRAMES_PER_S

    def _frame(self, due_s: float) -> None:
        if self._budget is not None and not self._budget.wants(due_s, suspected=False):
            return
        began_s = time.perf_counter()
        self._lane.see(next(self._view))
        self._frame_s.append(time.perf_counter() - began_s)
        if self._budget is not None:
            self._budget.on_assessed(self._frame_s[-1])
