"""Commands of the transcript end with the tests that typed them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.processes import PATIENCE_S, ROOT, child_ends_with

TESTS = """
import os, signal, subprocess, sys
command = [sys.executable, "-m", "tests.docs.group_of", str(os.getpid()), "/", "sleep 300 & echo $!; wait"]
subprocess.Popen(command, start_new_session=True)
signal.pause()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_a_command_started_ends_when_the_tests_are_killed(number: signal.Signals) -> None:
    assert child_ends_with(TESTS, number)


def test_a_command_gets_ctrl_c_and_its_exit_code_is_told() -> None:
    command = "trap 'exit 3' INT; echo ready; while true; do sleep 0.05; done"
    parent = ["-m", "tests.docs.group_of", str(os.getpid()), "/", command]
    going = subprocess.Popen(
        [sys.executable, *parent], cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert going.stdout is not None
    assert going.stdout.readline() == "ready\n"
    os.killpg(going.pid, signal.SIGINT)
    assert going.wait(PATIENCE_S) == 3
    going.stdout.close()
