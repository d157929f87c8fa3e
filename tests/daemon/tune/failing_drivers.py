"""Tests of devices whose drivers hang or crash, as a child: `python -m tests.daemon.tune.failing_drivers`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from daemon.config.settings import Settings
from daemon.doctor.isolated import Facts, serve


def _hang(settings: Settings) -> Facts:
    """Ignores SIGTERM, and has started a process of its own."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    if settings.paths.state.is_dir():
        (settings.paths.state / "pids").write_text(f"{os.getpid()} {helper.pid}")
    time.sleep(600)
    return {}


def _crash(_: Settings) -> Facts:
    os.kill(os.getpid(), signal.SIGSEGV)
    return {}


if __name__ == "__main__":
    sys.exit(serve({"hang": _hang, "crash": _crash}))
