"""No command connects to anything or looks a name up, unless the configuration asks for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.daemon.living import USUAL_PRIORITY, own_cache
from tests.faults.waiting import eventually
from tests.faults.world import SITE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[3]
COMMANDS = {
    "models list": ["models", "list"],
    "config": ["config", "show"],
    "check": ["check"],
    "replay": ["replay", "demo"],
    "run": ["run", "--source", "demo", "--once"],
    "bench": ["bench", "journal", "--samples", "1"],
    "web": ["web", "--port", "0", "--socket", ""],
}
MAY_FAIL = frozenset({"check"})
"""`check` says that something is missing on this machine."""
INTERRUPTED_AT = {"web": b"the daemon does not answer"}
"""Commands that do not end by themselves, and what they write once all of them runs."""
LONGEST_S = 200.0


@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_leaves_the_machine(name: str, tmp_path: Path, short_store: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(SITE + USUAL_PRIORITY)
    left = tmp_path / "left"
    env = {
        **{k: v for k, v in os.environ.items() if not k.startswith("WATCHWORD_")},
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(own_cache()),  # compiling the networks anew opens no connection either
        "XDG_RUNTIME_DIR": str(tmp_path),
        "PYTHONPATH": f"{tmp_path}:{ROOT}",
        "WATCHWORD_PATHS__MODELS": str(short_store),
        "FAULTS_CLOCK": str(tmp_path / "clock"),
        "FAULTS_LEFT": str(left),
    }
    command = [sys.executable, "-m", "daemon.cli.main", *COMMANDS[name]]
    log = tmp_path / "log.txt"
    with log.open("wb") as written:
        it = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.DEVNULL, stderr=written)
    try:
        if name in INTERRUPTED_AT:
            serves = INTERRUPTED_AT[name]
            assert eventually(lambda: it.poll() is not None or serves in log.read_bytes(), LONGEST_S)
            it.send_signal(signal.SIGTERM)
        it.wait(LONGEST_S)
    finally:
        it.kill()
        it.wait(10)
    errors = log.read_bytes()
    assert b"Traceback" not in errors, errors.decode()
    assert it.returncode == 0 or name in MAY_FAIL, errors.decode()
    assert not left.exists(), left.read_text()
    assert not (tmp_path / "intel").exists()
