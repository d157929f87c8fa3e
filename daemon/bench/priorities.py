"""The danger lane beside busy programs, while a process of ours works at one priority or another.

`python -m daemon.bench.priorities [--raised] [--busy 4] [--rounds 3]`. It shows what a describer
that loads, or a worker that answers, would gain from a higher priority, and what that would cost the lane.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass

from capture.test_image import moving_test_image
from common.own_process import IDLE, WAITED_NICE, raise_priority
from daemon.bench.harness import percentile
from daemon.bench.load import BackgroundLoad, arithmetic_load
from daemon.bench.pipeline_under_test import PipelineUnderTest
from daemon.config.settings import load
from daemon.wiring.detector import build_detector

FRAMES_PER_S, SECONDS = 15.0, 4.0
SETTLE_S = 1.0
LEVELS: Mapping[str, int | None] = {
    "none": None,
    "idle": IDLE,
    "nice 19": 19,
    f"nice {WAITED_NICE}": WAITED_NICE,
    "nice 10": 10,
    "nice 5": 5,
}
WORK = """
import os, sys
import numpy as np
from common.own_process import lower_priority
lower_priority(int(sys.argv[1]))
print("ready", flush=True)
a = np.ones((700, 700), np.float32)
while os.getppid() != 1:
    a @ a
"""


@dataclass(frozen=True, slots=True)
class LaneRound:
    """One round: frames a second, their age in milliseconds, and the share of a core that the work got."""

    fps: float
    p50_ms: float
    p99_ms: float
    share: float


def paced(see: Callable[[], object], seconds: float) -> tuple[list[float], float]:
    """Ages of frames that come at `FRAMES_PER_S`, in seconds, and the time that all took."""
    began_s = due_s = time.perf_counter()
    ages = []
    for _ in range(round(FRAMES_PER_S * seconds)):
        time.sleep(max(0.0, due_s - time.perf_counter()))
        see()
        done_s = time.perf_counter()
        ages.append(done_s - due_s)
        # As with a camera, frames that were missed are lost.
        due_s = max(due_s + 1 / FRAMES_PER_S, done_s)
    return ages, time.perf_counter() - began_s


def measure(
    see: Callable[[], object], busy: int, rounds: int, seconds: float = SECONDS
) -> Iterator[tuple[str, list[LaneRound]]]:
    """All levels in turn in each round, so that what the machine does meanwhile meets them all."""
    rows: dict[str, list[LaneRound]] = {level: [] for level in LEVELS}
    with ExitStack() as stack:
        works = {
            level: stack.enter_context(BackgroundLoad([[sys.executable, "-c", WORK, str(nice)]]))
            for level, nice in LEVELS.items()
            if nice is not None
        }
        stack.enter_context(stack.enter_context(arithmetic_load(busy, idle=False)).working())
        time.sleep(SETTLE_S)
        for _ in range(rounds):
            for level in LEVELS:
                work = works.get(level)
                had_s = work.processor_s() if work else 0.0
                with work.working() if work else nullcontext():
                    ages, took_s = paced(see, seconds)
                share = (work.processor_s() - had_s) / took_s if work else 0.0
                p50_ms, p99_ms = percentile(ages, 50) * 1e3, percentile(ages, 99) * 1e3
                rows[level].append(LaneRound(len(ages) / took_s, p50_ms, p99_ms, share))
    yield from rows.items()


def table(args: argparse.Namespace) -> Iterator[str]:
    """The lines of the table."""
    lane = PipelineUnderTest(build_detector(load(None, os.environ, {}).settings))
    view = moving_test_image(1280, 720)
    # The first frame compiles and allocates.
    lane.see(next(view))
    if args.raised:
        raise_priority()
    yield f"{args.busy} busy programs; the lane at nice {os.getpriority(os.PRIO_PROCESS, 0)}\n"
    yield "| work at | frames a second | age p50, ms | age p99, ms | share of a core it got |"
    yield "| --- | --: | --: | --: | --: |"
    for level, rows in measure(lambda: lane.see(next(view)), args.busy, args.rounds):
        values = ((row.fps, row.p50_ms, row.p99_ms, row.share) for row in rows)
        fps, p50, p99, share = map(statistics.median, zip(*values, strict=True))
        yield f"| {level} | {fps:.1f} | {p50:.0f} | {p99:.0f} | {share:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raised", action="store_true", help="raise the lane's priority (needs the right)")
    parser.add_argument("--busy", type=int, default=4, help="busy programs, in sessions of their own")
    parser.add_argument("--rounds", type=int, default=3)
    for line in table(parser.parse_args()):
        # The measurement takes minutes; a reader of a pipe sees what there is.
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
