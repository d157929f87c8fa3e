"""A long run of the real daemon, with a fault a minute: does anything grow? `script/soak --minutes 30`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields
from itertools import cycle
from pathlib import Path
from random import Random

from daemon import paths
from tests.capture.servers import PAINTED_FPS, MjpegServer
from tests.daemon.living import Living, street_clip
from tests.faults.fault import Fault
from tests.faults.rows import ALL
from tests.faults.run import attempt
from tests.faults.world import World

GROWTH_MB = 30.0
"""Resident memory may grow so much between the first and the last third of a run: caches fill up."""
GROWTH_COUNT = 3
"""So many threads or open files more are noise, as a client that is just asking."""
LATENCY_RATIO = 2.0
"""The last third's median frame age over the first third's."""

LONGEST_S = 10.0
"""Faults that take longer to be told leave no time within a minute to settle."""

CONFIG = """
[watch]
cooldown_s = 5
remind_s = 10
[describe]
stale_s = 20
[worker]
keep_loaded = false
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """The daemon at a moment."""

    seconds: float
    resident_mb: float
    children_mb: float
    threads: int
    files: int
    age_p50_ms: float
    age_p99_ms: float
    assessed: int
    skipped: int
    spoken: int


def sample(living: Living, began_s: float) -> Sample:
    """What /proc and the daemon itself say."""
    status = living.status()
    proc = Path(f"/proc/{living.process.pid}")
    age = status["latency"].get("frame_age", {"p50_ms": 0.0, "p99_ms": 0.0})
    return Sample(
        seconds=round(time.monotonic() - began_s, 1),
        resident_mb=resident_mb(living.process.pid),
        children_mb=sum(map(resident_mb, living.children())),
        threads=len(list((proc / "task").iterdir())),
        files=len(list((proc / "fd").iterdir())),
        age_p50_ms=age["p50_ms"],
        age_p99_ms=age["p99_ms"],
        assessed=status["assessed"],
        skipped=status["skipped"],
        spoken=status["counts"].get("spoken", 0),
    )


def resident_mb(pid: int) -> float:
    """Resident megabytes of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return round(next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0) / 1024, 1)


def grown(samples: Sequence[Sample]) -> list[str]:
    """What grew between the first and the last third, one line each; nothing where all is flat."""
    third = max(len(samples) // 3, 1)
    first, last = samples[:third], samples[-third:]
    limits = {
        "resident_mb": GROWTH_MB,
        "children_mb": GROWTH_MB,
        "threads": GROWTH_COUNT,
        "files": GROWTH_COUNT,
    }
    found = []
    for name, limit in limits.items():
        before, after = _median(first, name), _median(last, name)
        if after - before > limit:
            found.append(f"{name} grew from {before:g} to {after:g}")
    before, after = _median(first, "age_p50_ms"), _median(last, "age_p50_ms")
    if before and after / before > LATENCY_RATIO:
        found.append(f"frame age grew from {before:g} to {after:g} ms")
    if samples[-1].assessed <= samples[0].assessed or samples[-1].spoken <= samples[0].spoken:
        found.append("it stopped assessing or speaking")
    return found


def _median(samples: Sequence[Sample], name: str) -> float:
    values = sorted(float(getattr(s, name)) for s in samples)
    return values[len(values) // 2]


def soak(folder: Path, models: Path, seconds: float, every_s: float) -> list[Sample]:
    """Run it without a sound server or a fault, and look every `every_s`."""
    with (
        MjpegServer(street_clip(models), fps=PAINTED_FPS) as camera,
        Living(folder, models, camera.url, CONFIG) as living,
    ):
        return watch(living, seconds, every_s)


def watch(
    living: Living, seconds: float, every_s: float, disturb: Callable[[], None] = lambda: None
) -> list[Sample]:
    """Look every `every_s`, and call `disturb` after each look. The first is after the caches have begun to
    fill.
    """
    samples = []
    living.await_event("alert", hazard="vehicle", timeout_s=60)
    began_s = time.monotonic()
    while (now := time.monotonic()) - began_s < seconds:
        samples.append(sample(living, began_s))
        _print(samples[-1])
        disturb()
        assert living.process.poll() is None, living.log.read_text()[-3000:]
        time.sleep(max(0.0, every_s - (time.monotonic() - now)))
    return samples


class Disturbances:
    """Injects one fault after the other, and remembers those not told or not recovered from."""

    def __init__(self, world: World) -> None:
        self._world = world
        faults = [row for row in ALL if isinstance(row, Fault) and row.stage == "street"]
        quick = [row for row in faults if row.limit_s <= LONGEST_S]
        Random(0).shuffle(quick)
        self._next = cycle(quick)
        self.failed: list[str] = []

    def __call__(self) -> None:
        result = attempt(self._world, next(self._next))
        _say(f"# {result['fault']}: {result['told'] or 'survived'}, {result['why'] or 'recovered'}")
        if not result["ok"]:
            self.failed.append(f"{result['fault']}: {result['why']}")


def _print(one: Sample) -> None:
    _say(" ".join(f"{value:>12}" for value in astuple(one)))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Exit 1 if something grew, or a fault was not told or not recovered from."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    args = parser.parse_args()
    models = Path(paths.resolved({}, os.environ)["models"])
    _say(" ".join(f"{f.name:>12}" for f in fields(Sample)))
    with tempfile.TemporaryDirectory(prefix="wf") as folder, World(Path(folder), models) as world:
        disturb = Disturbances(world)
        samples = watch(world.living, args.minutes * 60, 60.0, disturb)
    found = [*grown(samples), *disturb.failed]
    _say("flat" if not found else "\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
