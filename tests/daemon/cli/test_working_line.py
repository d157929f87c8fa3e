"""A command that takes its time says so on a terminal, and never elsewhere."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

from daemon.cli.working_line import QUIET_S, WorkingLine, working_line


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_it_comes_after_two_quiet_seconds_and_goes_before_output() -> None:
    clock, terminal = Clock(), io.StringIO()
    line = WorkingLine(terminal, "teach", clock)
    clock.now_s = QUIET_S - 0.1
    line.tick()
    assert terminal.getvalue() == ""
    clock.now_s = 3.0
    line.note("2 of 5")
    line.tick()
    assert terminal.getvalue() == "\r\x1b[Kteach: working, 3 s (2 of 5)"
    with line.output():
        terminal.write("taught\n")
    assert terminal.getvalue().endswith("(2 of 5)\r\x1b[Ktaught\n")
    clock.now_s = 4.9
    line.tick()
    assert terminal.getvalue().endswith("taught\n")
    clock.now_s = 5.0
    line.tick()
    assert terminal.getvalue().endswith("working, 5 s (2 of 5)")


def test_a_terminal_that_goes_away_ends_nothing() -> None:
    clock, terminal = Clock(), io.StringIO()
    line = WorkingLine(terminal, "teach", clock)
    terminal.close()
    clock.now_s = 3.0
    line._write("x")


CODE = """
import os, sys, time
from daemon.cli.working_line import working_line
with working_line("teach", os.environ["TERM"]) as note:
    note("far")
    time.sleep(2.8)
    sys.stdout.write("done\\n")
"""


def _on_a_terminal(term: str) -> str:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": term, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen([sys.executable, "-c", CODE], stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    printed = b""
    while True:
        try:
            more = os.read(ours, 1000)
        except OSError:  # Linux says so at the end of a terminal
            break
        if not more:
            break
        printed += more
    os.close(ours)
    assert process.wait(20) == 0
    return printed.decode()


def test_on_a_real_terminal() -> None:
    printed = _on_a_terminal("xterm")
    assert "\r\x1b[Kteach: working, 2 s (far)" in printed
    assert printed.endswith("\r\x1b[Kdone\r\n")


def test_nothing_on_one_that_cannot_erase_nor_in_a_file() -> None:
    assert _on_a_terminal("dumb") == "done\r\n"
    with working_line("teach", "xterm") as note:  # pytest's standard error is no terminal
        note("far")
    assert not isinstance(sys.stderr, WorkingLine)
