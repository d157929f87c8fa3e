"""A benchmark that is killed leaves nothing behind: no daemon, no web interface."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.daemon.living import own_cache
from tests.processes import PATIENCE_S, ROOT, ends, is_running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

WEB = """
import signal, sys, tempfile
from pathlib import Path
from daemon.bench.web import _web
from daemon.config.settings import load
settings = load(None, {"HOME": sys.argv[1]}, {"paths.models": sys.argv[1]}).settings
with _web(Path(sys.argv[1]), settings):
    print("up", flush=True)
    signal.pause()
"""
DAEMON = """
import signal, sys
from pathlib import Path
from daemon.bench.start import running, watching
from daemon.config.settings import load
folder = Path(sys.argv[1])
values = {"paths.models": sys.argv[2], "paths.cache": sys.argv[3]}
settings = load(None, {"HOME": sys.argv[1]}, values).settings
with running(settings, folder):
    print("up", flush=True)
    signal.pause()
"""


@pytest.mark.parametrize("script", [WEB, DAEMON], ids=["web", "daemon"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_a_killed_benchmark_started_ends(
    script: str, number: signal.Signals, tmp_path: Path, models: Path
) -> None:
    bench = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path), str(models), str(own_cache())],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )
    assert bench.stdout is not None
    try:
        assert bench.stdout.readline() == "up\n"
        started = [
            int(pid) for pid in Path(f"/proc/{bench.pid}/task/{bench.pid}/children").read_text().split()
        ]
        assert started
        assert all(is_running(pid) for pid in started)
        bench.send_signal(number)
    finally:
        if bench.poll() is None and number is not signal.SIGTERM:
            bench.kill()
        bench.wait(PATIENCE_S)
        bench.stdout.close()
    assert all(ends(pid) for pid in started)
