"""Running another program that must show progress or be ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from common.spawn import tied_to

POLL_S = 0.1
GRACE_S = 5.0


def own_module(module: str, *arguments: str) -> tuple[str, ...]:
    """Command that runs a module of ours in this Python."""
    return (sys.executable, "-m", module, *arguments)


def own_environment(**settings: str) -> dict[str, str]:
    """Ours, such that a child finds our modules wherever it runs, and settings of its own."""
    paths = [str(Path(__file__).parents[3]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1", **settings}


class StalledError(Exception):
    """The program showed no progress for too long and was ended."""


def run_child(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    log: Path,
    measure: Callable[[], int],
    on_progress: Callable[[int], None],
    stall_s: float,
) -> int:
    """Run a program to its end, its output in `log`; returns its exit code.

    `measure` gives a number that grows while the program gets on (bytes on the disk). Raises StalledError
    when that has not changed for `stall_s` seconds. The program is killed if this process ends, even by
    SIGKILL.
    """
    with log.open("wb") as output:
        child = subprocess.Popen(  # noqa: S603 (our own command, no shell)
            command,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A session of its own, so that everything the program starts can be killed with it.
            start_new_session=True,
            preexec_fn=tied_to(os.getpid()),
        )
    try:
        return _follow(child, measure, on_progress, stall_s)
    finally:
        _end(child)


def _follow(
    child: subprocess.Popen[bytes],
    measure: Callable[[], int],
    on_progress: Callable[[int], None],
    stall_s: float,
) -> int:
    # -1, so that the first measurement counts as progress even if it is 0.
    seen, moved_at_s = -1, time.monotonic()
    while True:
        with suppress(subprocess.TimeoutExpired):
            # Returns as soon as the program ends; the poll only limits how often progress is measured.
            return child.wait(POLL_S)
        amount = measure()
        if amount != seen:
            seen, moved_at_s = amount, time.monotonic()
            on_progress(amount)
        elif time.monotonic() - moved_at_s > stall_s:
            raise StalledError


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill the whole session of a program that still runs, so that nothing it started stays behind."""
    if child.poll() is not None:
        return
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait(GRACE_S)
