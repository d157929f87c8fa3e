"""Signals, sent to real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from daemon.crew import ReloadAsked, StopAsked, Wake
from daemon.signals import ALL, Signals

PATIENCE_S = 20.0
ROOT = Path(__file__).parents[2]

WAITS = """
import logging, threading
from daemon.crew import Crew, StopAsked
from daemon.signals import Signals
logging.basicConfig()
crew, forever = Crew(), threading.Event()
crew.start("part", forever.wait, forever.set)
with Signals(crew.request):
    print("ready", flush=True)
    while not isinstance(wake := crew.wait(3600), StopAsked):
        print(wake, flush=True)
    print(wake.why, crew.stop(), flush=True)
"""

STUCK = """
import ctypes, logging
from daemon.signals import Signals
logging.basicConfig()
def told(wake):
    print(wake, flush=True)
with Signals(told):
    print("ready", flush=True)
    mutex = ctypes.create_string_buffer(64)  # PTHREAD_MUTEX_INITIALIZER is all zeros
    for _ in range(2):  # the second call never returns, and no signal interrupts it
        ctypes.CDLL(None).pthread_mutex_lock(mutex)
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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_hours_wait_at_once_and_in_order(number: signal.Signals) -> None:
    child = _child(WAITS)
    child.send_signal(signal.SIGHUP)
    assert _line(child) == "ReloadAsked()"
    child.send_signal(number)
    out, err = child.communicate(timeout=PATIENCE_S)
    assert (out.strip(), err, child.returncode) == (f"{number.name} ()", "", 0)


def test_a_second_request_ends_even_a_main_thread_stuck_in_native_code() -> None:
    child = _child(STUCK)
    child.send_signal(signal.SIGTERM)
    assert _line(child) == "StopAsked(why='SIGTERM')"
    child.send_signal(signal.SIGTERM)
    _, err = child.communicate(timeout=PATIENCE_S)
    assert child.returncode == 128 + signal.SIGTERM
    assert "SIGTERM again: ending at once" in err


def test_everything_is_put_back_afterwards() -> None:
    before = [signal.getsignal(number) for number in ALL]
    told: list[Wake] = []
    heard = threading.Event()

    def request(wake: Wake) -> None:
        told.append(wake)
        heard.set()

    with Signals(request):
        os.kill(os.getpid(), signal.SIGHUP)
        assert heard.wait(PATIENCE_S)
        heard.clear()
        os.kill(os.getpid(), signal.SIGINT)
        assert heard.wait(PATIENCE_S)
    assert told == [ReloadAsked(), StopAsked("SIGINT")]
    assert [signal.getsignal(number) for number in ALL] == before
    assert signal.set_wakeup_fd(-1) == -1
    assert "signals" not in [thread.name for thread in threading.enumerate()]
