"""Clients of the control socket that do harm: meanwhile the wearer must be able to ask for silence."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

from daemon.control.commands import HushCommand
from daemon.errors import CommandError
from tests.faults.attacks import ATTACKS, connect
from tests.faults.fault import Check, Fault, Row
from tests.faults.waiting import ROOT, eventually
from tests.faults.world import World

HUSH_S = 2.0
"""Seconds that asking for silence may take; the machine may be busy."""


HUSH = """
import sys, time
from pathlib import Path
from daemon.control.client import ControlClient
from daemon.control.commands import HushCommand
longest_s = 0.0
for _ in range(5):
    began_s = time.monotonic()
    with ControlClient(Path(sys.argv[1]), timeout_s=10) as client:
        client.ask(HushCommand())
    longest_s = max(longest_s, time.monotonic() - began_s)
    time.sleep(0.2)
print(longest_s)
"""
"""Asks for silence five times, as the wearer's command does: in a process of its own."""


def _hushes(world: World) -> str:
    command = [sys.executable, "-c", HUSH, str(world.living.socket)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    longest_s = float(done.stdout)
    assert longest_s < HUSH_S, f"hush took {longest_s:.1f} s"
    return f"hush answered 5 of 5, within {longest_s:.2f} s each"


def _pestered(name: str, *, short: bool = False) -> Check:
    """An attack by another process; see `ATTACKS`."""

    def check(world: World) -> str:
        command = [sys.executable, "-m", "tests.faults.attacks", name, str(world.living.socket)]
        with subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as attacker:
            assert attacker.stdout is not None and attacker.stdout.readline() == "ready\n"
            try:
                how = _hushes(world)
                assert world.await_danger(20) is not None, "no danger was said meanwhile"
            finally:
                attacker.kill()
        return how

    return Check(f"control: {name}", check, short)


def _remove_runtime(world: World) -> None:
    shutil.rmtree(world.living.socket.parent)


def _await_socket(world: World) -> None:
    assert eventually(world.living.socket.exists, 5), "the socket is not there again"


def _no_room_for_threads(world: World) -> str:
    """No memory for a thread, and 14 clients at once; then there is room again."""
    pid = world.living.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_AS)
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
    resource.prlimit(pid, resource.RLIMIT_AS, (pages * resource.getpagesize() + (4 << 20), before[1]))
    links = [connect(str(world.living.socket), b'{"v":1,"do":"status"}\n') for _ in range(14)]
    time.sleep(4)
    resource.prlimit(pid, resource.RLIMIT_AS, before)
    for link in links:
        link.close()
    time.sleep(2)  # a part that failed is run again after a second
    how = _hushes(world)
    assert world.await_danger(20) is not None, "no danger was said afterwards"
    return how


def _no_files(world: World) -> str:
    """Two files more, and no more; then there is room again."""
    pid = world.living.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = world.open_files()
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 2, before[1]))
    refused = 0
    for _ in range(10):
        try:
            world.living.ask(HushCommand())
        except CommandError:
            refused += 1
        time.sleep(0.5)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    time.sleep(2)
    how = _hushes(world)
    assert world.await_danger(20) is not None, "no danger was said afterwards"
    return f"{refused} of 10 refused while it lasted; {how}"


ROWS: tuple[Row, ...] = (
    *(_pestered(name, short=name == "20 connections that trickle") for name in ATTACKS),
    Check("memory: no room for a thread, 14 clients at once", _no_room_for_threads),
    Check("files: none can be opened for 5 s", _no_files),
    Fault("control: runtime folder removed", _remove_runtime, _await_socket, None, True),
)
