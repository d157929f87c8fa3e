"""Runs a test of a device in a child process: a driver that hangs or crashes takes nothing with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from common.errors import WatchwordError
from common.own_process import exit_with_parent
from daemon.config.settings import Settings

KILL_S = 2.0
"""Seconds that a killed child may take to end; one that is stuck in a driver is left behind."""

Facts = Mapping[str, Any]
"""The results of a device test, as plain values."""
DeviceTest = Callable[[Settings], Facts]


class DeviceTestFailed(WatchwordError):
    """The device fails; the message is the last line of its output."""


def run_isolated(name: str, settings: Settings, timeout_s: float = 60.0, *, module: str) -> Facts:
    """Run a test of `module`, which calls `serve`, in a child. Raises DeviceTestFailed."""
    child = subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-m", module, name, str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A session of its own: what it starts is killed with it.
        start_new_session=True,
    )
    try:
        # The settings go through a pipe: they may hold credentials, and arguments are visible to every user.
        out, err = child.communicate(settings.model_dump_json(), timeout_s)
    except subprocess.TimeoutExpired:
        raise DeviceTestFailed(f"no answer within {timeout_s:g} s") from None
    finally:
        _kill(child)
    if child.returncode:
        raise DeviceTestFailed(_reason(child.returncode, err))
    # The last line: some libraries print to stdout.
    facts: Facts = json.loads(out.splitlines()[-1])
    return facts


def _kill(child: subprocess.Popen[str]) -> None:
    """End a child with all it started; not waiting for ever, as `subprocess.run` does for a stuck one."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        child.wait(KILL_S)
    for stream in (child.stdin, child.stdout, child.stderr):
        with suppress(OSError):  # what was not written yet cannot be written any more
            if stream is not None:
                stream.close()


def _reason(code: int, errors: str) -> str:
    if code < 0:
        return f"the driver crashed ({signal.Signals(-code).name})"
    # The last line: drivers and libraries write their own messages before it.
    said = errors.strip().splitlines() or [f"ended with code {code}"]
    return said[-1]


def serve(tests: Mapping[str, DeviceTest]) -> int:
    """The child: settings as JSON on stdin, one JSON line on stdout, the error last on stderr."""
    name, parent = sys.argv[1:]
    exit_with_parent(int(parent))
    settings = Settings.model_validate_json(sys.stdin.read())
    try:
        facts = tests[name](settings)
    # Any exception of a driver is the result of the test.
    except Exception as error:
        sys.stderr.write(f"{str(error) or type(error).__name__}\n")
        return 1
    sys.stdout.write(json.dumps(facts) + "\n")
    return 0
