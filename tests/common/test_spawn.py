"""A program that is tied to its parent ends with it, however the parent ends."""

from __future__ import annotations

import signal

import pytest

from tests.processes import child_ends_with

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
    assert child_ends_with(PARENT, number)
