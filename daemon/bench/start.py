"""Time to start and to stop, and memory: the real process on the demo clip, with warm caches."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.spawn import tied_to
from daemon.bench.harness import Figure, at_most, unmeasured
from daemon.config.settings import Settings
from daemon.control.client import ControlClient
from daemon.control.commands import StatusCommand
from daemon.errors import CommandError

WARM, STOP, MEMORY = "start.warm_s", "start.stop_s", "memory.rss_mb"
SHARED_ONCE = "memory.pss_mb"
LIMITS = {WARM: at_most(1.2), STOP: at_most(2.0), MEMORY: at_most(300.0)}
LONGEST_S = 120.0
MOST_STARTS = 5
LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class _Run:
    start_s: float
    stop_s: float
    memory_mb: Mapping[str, float]
    shared_once_mb: float
    """The same, with pages that several processes share counted once between them."""


def measure(settings: Settings, samples: int) -> Iterator[Figure]:
    """Seconds from the command to the first assessed frame, and from SIGTERM to the end while it watches;
    resident memory by part.
    """
    runs = []
    # One more than counted: the first start compiles models and fills the caches.
    for number in range(min(samples, MOST_STARTS) + 1):
        run = _run(settings)
        if run is None:
            yield from (unmeasured(n, "", limit, "the daemon did not start") for n, limit in LIMITS.items())
            return
        if number:  # the first fills the caches
            runs.append(run)
    yield Figure.median(WARM, [run.start_s for run in runs], "s", LIMITS[WARM])
    yield Figure.median(
        STOP,
        [run.stop_s for run in runs],
        "s",
        LIMITS[STOP],
        "from SIGTERM, while it watches; goodbye is said",
    )
    totals = [sum(run.memory_mb.values()) for run in runs]
    yield Figure.median(MEMORY, totals, "MB", LIMITS[MEMORY], "daemon and children, without a describer")
    proportional = [run.shared_once_mb for run in runs]
    yield Figure.median(SHARED_ONCE, proportional, "MB", note="the same, shared pages counted once (PSS)")
    for part in runs[-1].memory_mb:
        yield Figure.median(f"memory.{part}_mb", [run.memory_mb[part] for run in runs], "MB")


def _run(settings: Settings) -> _Run | None:
    with tempfile.TemporaryDirectory(prefix="ww") as folder:
        began_s = time.monotonic()
        with running(settings, Path(folder)) as process:
            status = watching(Path(folder) / "watchword" / "watchword.sock", began_s + LONGEST_S)
            if status is None:
                return None
            memory, shared_once_mb = _memory(process.pid), _shared_once_mb(process.pid)
            asked_s = time.monotonic()
            process.terminate()
            process.wait(LONGEST_S)
            stop_s = time.monotonic() - asked_s
            return _Run(status["first_assessed_at_s"] - began_s, stop_s, memory, shared_once_mb)


@contextmanager
def running(settings: Settings, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    env = {
        **os.environ,
        "XDG_RUNTIME_DIR": str(folder),
        "WATCHWORD_PATHS__MODELS": str(settings.paths.models),
        "WATCHWORD_PATHS__CACHE": str(settings.paths.cache),
        "WATCHWORD_PATHS__STATE": str(folder),
        "WATCHWORD_CAPTURE__LOOP": "true",
        # Without a describer that is a model: its memory is its own, and `bench vlm` measures it.
        "WATCHWORD_DESCRIBE__BACKEND": "tags",
    }
    command = [sys.executable, "-m", "daemon.cli.main", "run", "--source", "demo"]
    process = subprocess.Popen(  # noqa: S603
        command,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # A session of its own, as systemd gives it one.
        start_new_session=True,
        # A benchmark that is killed must not leave it behind.
        preexec_fn=tied_to(os.getpid(), signal.SIGTERM),
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def watching(socket: Path, deadline_s: float) -> Mapping[str, Any] | None:
    """Its status once a frame has been assessed."""
    while time.monotonic() < deadline_s:
        # Until the socket is there and answers.
        with suppress(CommandError), ControlClient(socket) as client:
            status = client.ask(StatusCommand())
            if status.get("first_assessed_at_s") is not None:
                return status
        time.sleep(LOOK_S)
    return None


def _memory(pid: int) -> dict[str, float]:
    """Resident megabytes of the daemon and of its children together; shared pages count in each."""
    return {
        "daemon": _megabytes(pid, "Rss"),
        "children": sum(_megabytes(c, "Rss") for c in _descendants(pid)),
    }


def _shared_once_mb(pid: int) -> float:
    return sum(_megabytes(one, "Pss") for one in (pid, *_descendants(pid)))


def _descendants(pid: int) -> Iterator[int]:
    # proc(5): children are listed for each thread.
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        # A child may have ended meanwhile.
        with suppress(OSError):
            for child in map(int, task.read_text().split()):
                yield child
                yield from _descendants(child)


def _megabytes(pid: int, kind: str) -> float:
    """Of a process, resident (Rss) or proportional (Pss); 0 if it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(f"{kind}:"):
                return int(line.split()[1]) / 1024
    return 0.0
