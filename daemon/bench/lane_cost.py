"""Processor time and energy of the danger lane at a camera's pace, and its frame times at full rate."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from capture.test_image import moving_test_image
from common.processor_heat import hottest_c
from daemon.bench.harness import Figure, FrameTrace, percentile, unmeasured
from daemon.bench.pipeline_under_test import FRAMES_PER_S, PipelineUnderTest
from daemon.bench.tables import NOT_THERE
from daemon.bench.vlm_beside import PacedLane
from daemon.wiring.detector import DetectorBundle

SHARE, ENERGY = "pipeline.cpu_share", "pipeline.energy_j"
FPS, P50, P99 = "pipeline.fps", "pipeline.frame_ms_p50", "pipeline.frame_ms_p99"
POWERCAP = Path("/sys/class/powercap")
_WINDOW_S = 2.0
_ALONE_S = 0.5
_MOST_WINDOWS = 10


@dataclass(frozen=True, slots=True)
class EnergyMeter:
    """The energy counters of the processor packages (Documentation/power/powercap/powercap.rst)."""

    counters: tuple[Path, ...]

    def read_uj(self) -> tuple[int, ...]:
        """Microjoules of each package. Raises OSError."""
        return tuple(int(counter.read_text()) for counter in self.counters)

    def spent_j(self, before: tuple[int, ...], after: tuple[int, ...]) -> float:
        """Joules between two readings. Raises OSError."""
        return sum(map(self._spent_uj, self.counters, before, after)) / 1e6

    def _spent_uj(self, counter: Path, before: int, after: int) -> int:
        if after >= before:
            return after - before
        # The counter starts again from 0 after its greatest value, some minutes of a busy processor.
        return after - before + int(counter.with_name("max_energy_range_uj").read_text())


def energy_meter(folder: Path = POWERCAP) -> EnergyMeter | str:
    """RAPL's counters of whole packages; the reason if there are none that can be read."""
    # `intel-rapl:0` is a package, `intel-rapl:0:0` a part of it, which must not be counted twice.
    counters = tuple(sorted(folder.glob("intel-rapl:[0-9]*/energy_uj")))
    counters = tuple(one for one in counters if one.parent.name.count(":") == 1)
    if not counters:
        return f"no energy counter of the processor in {folder} (RAPL; virtual machines have none)"
    try:
        for counter in counters:
            counter.read_text()
    except OSError as error:
        return f"{error.filename}: {error.strerror}; only root may read it"
    return EnergyMeter(counters)


def at_camera_pace(bundle: DetectorBundle, samples: int, meter: EnergyMeter | str) -> Iterator[Figure]:
    """Share of one core, and joules a frame above the machine at rest, at FRAMES_PER_S."""
    lane, windows = PacedLane(bundle, _ALONE_S), min(samples, _MOST_WINDOWS)
    shares: list[float] = []
    joules: list[float] = []
    for _ in range(windows):
        rest_j = _spent_j(meter, _WINDOW_S)
        began_s, had_s = time.perf_counter(), time.process_time()
        with lane.running():
            busy_j = _spent_j(meter, _WINDOW_S)
        shares.append((time.process_time() - had_s) / (time.perf_counter() - began_s))
        joules.append((busy_j - rest_j) / max(lane.frames, 1))
    note = (
        f"of one core, {bundle.model.name} at {FRAMES_PER_S:g} frames/s of 720p, without camera and decoder"
    )
    yield Figure.median(SHARE, shares, "ratio", None, note)
    if isinstance(meter, str):
        yield unmeasured(ENERGY, "J", None, f"{NOT_THERE}: {meter}")
        return
    yield Figure.median(ENERGY, joules, "J", None, "a frame, of the whole package, above the machine at rest")


def _spent_j(meter: EnergyMeter | str, seconds: float) -> float:
    """Joules in the next seconds; 0 if nothing measures them."""
    if isinstance(meter, str):
        time.sleep(seconds)
        return 0.0
    before = meter.read_uj()
    time.sleep(seconds)
    return meter.spent_j(before, meter.read_uj())


def at_full_rate(bundle: DetectorBundle, samples: int) -> Iterator[Figure]:
    """One frame after another, a second for each sample; the frames are kept for the plots."""
    trace = record_frames(PipelineUnderTest(bundle), float(samples))
    rates = [float(rate) for rate in trace.rates()]
    ms = [took * 1e3 for took in trace.took_s]
    what = f"{bundle.model.name} without a pause, 720p"
    yield Figure.median(FPS, rates, "1/s", None, f"frames, {what}")
    yield Figure.median(P50, ms, "ms", None, what)
    spread = (percentile(ms, 25), percentile(ms, 75))
    yield Figure(P99, percentile(ms, 99), "ms", None, len(ms), spread, what, trace)


def record_frames(lane: PipelineUnderTest, seconds: float) -> FrameTrace:
    """The frames of so many seconds, and the temperature at the end of each second."""
    view = moving_test_image(1280, 720)
    lane.see(next(view))  # the first one allocates
    ended: list[float] = []
    took: list[float] = []
    celsius: list[tuple[float, float]] = []
    began_s = now_s = time.perf_counter()
    due_s = 1.0
    while now_s - began_s < seconds:
        before_s = now_s
        lane.see(next(view))
        now_s = time.perf_counter()
        ended.append(now_s - began_s)
        took.append(now_s - before_s)
        # Once a second: a read of /sys may take as long as a part of a frame.
        if ended[-1] >= due_s:
            due_s += 1.0
            if (hot := hottest_c()) is not None:
                celsius.append((ended[-1], hot))
            now_s = time.perf_counter()
    return FrameTrace(tuple(ended), tuple(took), tuple(celsius))
