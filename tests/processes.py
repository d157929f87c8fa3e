"""Processes that must end with another."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATIENCE_S = 30.0


def is_running(pid: int) -> bool:
    """False also for a process that has ended and that its new parent has not waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except FileNotFoundError:
        return False
    return fields[0] != "Z"


def ends(pid: int) -> bool:
    """True if the process ends soon; else it is killed."""
    until_s = time.monotonic() + PATIENCE_S
    while is_running(pid) and time.monotonic() < until_s:
        time.sleep(0.02)
    if not (ended := not is_running(pid)):
        os.kill(pid, signal.SIGKILL)
    return ended


def child_ends_with(script: str, number: signal.Signals) -> bool:
    """Run a script that prints the id of its child; True if the child ends after the script gets a signal."""
    command = [sys.executable, "-c", script]
    parent = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert is_running(child)
    parent.send_signal(number)
    parent.wait(PATIENCE_S)
    parent.stdout.close()
    return ends(child)
