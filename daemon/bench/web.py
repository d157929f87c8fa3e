"""The danger lane of the real daemon while the web interface beside it is attacked, against the web
interface left alone.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from common.spawn import tied_to
from daemon.bench.harness import Figure, at_most, unmeasured
from daemon.bench.start import LONGEST_S, running, watching
from daemon.config.settings import Settings
from daemon.control.client import ControlClient
from daemon.control.commands import StatusCommand
from daemon.runtime.metrics import SAMPLES_KEPT

RATIO = "web.p99_ratio"
LIMIT = at_most(1.5)
MOST_PAIRS = 3
SPARE_S = 2.0
STAGE = "frame_age"


def measure(settings: Settings, samples: int) -> Iterator[Figure]:
    """From the frame to its decision, the slowest in a hundred of the last 1000; pairs, in turn first."""
    with tempfile.TemporaryDirectory(prefix="ww") as name, running(settings, Path(name)):
        control = Path(name) / "watchword" / "watchword.sock"
        status = watching(control, time.monotonic() + LONGEST_S)
        if status is None:
            yield unmeasured(RATIO, "ratio", LIMIT, "the daemon did not start")
            return
        with _web(Path(name), settings) as port:
            yield from _pairs(control, port, min(samples, MOST_PAIRS))


def _pairs(control: Path, port: int, pairs: int) -> Iterator[Figure]:
    # As long as it takes to replace all samples of the percentile, and a little more.
    seconds = SAMPLES_KEPT / _rate(control) + SPARE_S
    answers: Counter[str] = Counter()
    quiet: list[float] = []
    loud: list[float] = []
    skipped = [0, 0]
    for number in range(pairs):
        # In turn first, as in `interleave`.
        for attacked in (number % 2 == 0, number % 2 == 1):
            # Skips are counted since the start.
            before = _status(control)["skipped"]
            if attacked:
                answers.update(_attacked(port, seconds))
            else:
                time.sleep(seconds)
            now = _status(control)
            (loud if attacked else quiet).append(now["latency"][STAGE]["p99_ms"])
            skipped[attacked] += now["skipped"] - before
    answered = ", ".join(f"{status}: {count}" for status, count in sorted(answers.items()))
    ratios = [b / a for a, b in zip(quiet, loud, strict=True)]
    note = f"{STAGE}; skipped {skipped[0]} frames alone, {skipped[1]} attacked; answers {answered}"
    yield Figure.median(RATIO, ratios, "ratio", LIMIT, note)
    yield Figure.median("web.p99_alone_ms", quiet, "ms")
    yield Figure.median("web.p99_attacked_ms", loud, "ms")


def _attacked(port: int, seconds: float) -> Mapping[str, int]:
    command = [sys.executable, "-m", "daemon.bench.attack", str(port), str(seconds)]
    done = subprocess.run(  # noqa: S603
        command,
        check=True,
        capture_output=True,
        text=True,
        timeout=seconds + LONGEST_S,
        start_new_session=True,  # as a service has one of its own, which yields to others as a whole
        preexec_fn=tied_to(os.getpid()),
    )
    counts: Mapping[str, int] = json.loads(done.stdout)
    return counts


def _rate(control: Path) -> float:
    """Frames a second, once it has settled."""
    before = int(_status(control)["assessed"])
    time.sleep(5.0)
    return max(1.0, (int(_status(control)["assessed"]) - before) / 5.0)


def _status(control: Path) -> Mapping[str, Any]:
    with ControlClient(control) as client:
        return client.ask(StatusCommand())


@contextmanager
def _web(folder: Path, settings: Settings) -> Iterator[int]:
    """The web interface as it is started, at a free port."""
    env = {
        **os.environ,
        "XDG_RUNTIME_DIR": str(folder),
        "WATCHWORD_PATHS__STATE": str(folder),
        "WATCHWORD_PATHS__MODELS": str(settings.paths.models),
    }
    log = folder / "web.txt"
    command = [sys.executable, "-m", "daemon.cli.main", "web", "--port", "0"]
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603
            command,
            env=env,
            stdout=file,
            stderr=file,
            start_new_session=True,
            # A benchmark that is killed must not leave it behind.
            preexec_fn=tied_to(os.getpid(), signal.SIGTERM),
        )
        try:
            yield _port(log, process)
        finally:
            # SIGTERM, as systemd ends it, so that its socket is removed.
            process.terminate()
            process.wait(LONGEST_S)


def _port(log: Path, process: subprocess.Popen[bytes]) -> int:
    until_s = time.monotonic() + LONGEST_S
    while time.monotonic() < until_s and process.poll() is None:
        if found := re.search(r"the web interface is at http://\S+?:(\d+)/\n", log.read_text("utf-8")):
            return int(found[1])
        time.sleep(0.1)
    raise RuntimeError(f"the web interface did not start: {log.read_text('utf-8')[-500:]}")
