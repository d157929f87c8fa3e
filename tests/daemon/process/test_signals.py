"""Signals, sent to real processes."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

PATIENCE_S = 20.0
ROOT = Path(__file__).parents[3]

WAITS = """
import logging, threading
from daemon.process.supervisor import Supervisor, StopRequested
from daemon.process.signals import Signals
logging.basicConfig()
supervisor, forever = Supervisor(), threading.Event()
supervisor.start("part", forever.wait, forever.set)
with Signals(supervisor.request):
    print("ready", flush=True)
    while not isinstance(wake := supervisor.wait(3600), StopRequested):
        print(wake, flush=True)
    print(wake.why, supervisor.stop(), flush=True)
"""

STUCK = """
import ctypes, logging
from daemon.process.signals import Signals
logging.basicConfig()
def told(wake):
    print(wake, flush=True)
with Signals(told):
    print("ready", flush=True)
    mutex = ctypes.create_string_buffer(64)  # PTHREAD_MUTEX_INITIALIZER is all zeros
    for _ in range(2):  # the second call never returns, and no signal interrupts it
        ctypes.CDLL(None).pthread_mutex_lock(mutex)
"""

BETWEEN = """
import signal, threading
from daemon.process.supervisor import StopRequested
from daemon.process.signals import ALL, Signals
before, over = [signal.getsignal(number) for number in ALL], threading.Event()
def told(wake):
    print(wake, flush=True)
    if isinstance(wake, StopRequested):
        over.set()
with Signals(told):
    print("ready", flush=True)
    over.wait(20)
same = [signal.getsignal(number) for number in ALL] == before
print(same, signal.set_wakeup_fd(-1), [t.name for t in threading.enumerate() if t.name == "signals"])
"""


def _child(code: str) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert _line(child) == "ready"
    return child


def _line(child: subprocess.Popen[str]) -> str:
    assert child.stdout
    return child.stdout.readline().strip()


def _rest(child: subprocess.Popen[str]) -> tuple[str, str]:
    """Its output since then, once it has ended. `communicate` loses what `readline` has read ahead."""
    assert child.stdout and child.stderr
    out, err = child.stdout.read(), child.stderr.read()
    child.wait(PATIENCE_S)
    return out, err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_hours_wait_at_once_and_in_order(number: signal.Signals) -> None:
    child = _child(WAITS)
    child.send_signal(signal.SIGHUP)
    assert _line(child) == "ReloadRequested()"
    child.send_signal(number)
    out, err = _rest(child)
    assert (out.strip(), err, child.returncode) == (f"{number.name} ()", "", 0)


def test_a_second_request_ends_even_a_main_thread_stuck_in_native_code() -> None:
    child = _child(STUCK)
    child.send_signal(signal.SIGTERM)
    assert _line(child) == "StopRequested(why='SIGTERM')"
    child.send_signal(signal.SIGTERM)
    _, err = _rest(child)
    assert child.returncode == 128 + signal.SIGTERM
    assert "SIGTERM again: ending at once" in err


def test_everything_is_put_back_afterwards() -> None:
    child = _child(BETWEEN)
    for number, wake in (
        (signal.SIGHUP, "ReloadRequested()"),
        (signal.SIGINT, "StopRequested(why='SIGINT')"),
    ):
        child.send_signal(number)
        assert _line(child) == wake
    out, err = _rest(child)
    assert (out.strip(), err, child.returncode) == ("True -1 []", "", 0)
