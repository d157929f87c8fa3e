"""A long run of the real daemon on a looping stream: does anything grow? `script/soak --minutes 20`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from daemon import paths
from tests.capture.servers import PAINTED_FPS, MjpegServer
from tests.daemon.living import Living, street_clip

GROWTH_MB = 30.0
"""Resident memory may grow so much between the first and the last third of a run: caches fill up."""
GROWTH_COUNT = 3
"""So many threads or open files more are noise, as a client that is just asking."""
LATENCY_RATIO = 2.0
"""The last third's median frame age over the first third's."""

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
    """Run it and look every `every_s`; the first look is after the caches have had a moment to fill."""
    samples = []
    with (
        MjpegServer(street_clip(models), fps=PAINTED_FPS) as camera,
        Living(folder, models, camera.url, CONFIG) as living,
    ):
        living.await_event("alert", hazard="vehicle", timeout_s=60)
        began_s = time.monotonic()
        while (now := time.monotonic()) - began_s < seconds:
            samples.append(sample(living, began_s))
            _print(samples[-1])
            living.process.poll()
            time.sleep(max(0.0, every_s - (time.monotonic() - now)))
    return samples


def _print(one: Sample) -> None:
    sys.stdout.write(" ".join(f"{value:>12}" for value in astuple(one)) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Exit 1 where something grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    args = parser.parse_args()
    models = Path(paths.resolved({}, os.environ)["models"])
    sys.stdout.write(" ".join(f"{f.name:>12}" for f in fields(Sample)) + "\n")
    with tempfile.TemporaryDirectory() as folder:
        samples = soak(Path(folder), models, args.minutes * 60, args.minutes * 60 / 40)
    found = grown(samples)
    sys.stdout.write("flat\n" if not found else "\n".join(found) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
