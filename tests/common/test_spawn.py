"""A program that is tied to its parent ends with it, however the parent ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30.0

PARENT = """
import os, signal, subprocess, sys
from common.spawn import tied_to
child = "import signal, time; print('ready', flush=True); signal.sigwait([signal.SIGTERM])"
process = subprocess.Popen(
    [sys.executable, "-c", child],
    stdout=subprocess.PIPE,
    start_new_session=True,
    preexec_fn=tied_to(os.getpid(), signal.SIGTERM),
)
process.stdout.readline()
print(process.pid, flush=True)
signal.pause()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_program_in_a_session_of_its_own_ends_with_its_parent(number: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert is_running(child)
    parent.send_signal(number)
    parent.wait(PATIENCE_S)
    parent.stdout.close()
    assert ends(child)


def is_running(pid: int) -> bool:
    """False also for a process that has ended and that its new parent has not waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except FileNotFoundError:
        return False
    return fields[0] != "Z"


def ends(pid: int) -> bool:
    until_s = time.monotonic() + PATIENCE_S
    while is_running(pid) and time.monotonic() < until_s:
        time.sleep(0.02)
    if not (ended := not is_running(pid)):
        os.kill(pid, signal.SIGKILL)
    return ended
