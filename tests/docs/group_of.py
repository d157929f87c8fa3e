"""Runs a shell command that ends, with its whole process group, when the tests end, even by SIGKILL.

`python -m tests.docs.group_of PARENT FOLDER COMMAND`, as the leader of a session.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

from common.spawn import tied_to

END_S = 20.0
"""Seconds in which a daemon may stop by itself."""


def main(parent: int, folder: str, command: str) -> int:
    # Before anything is started. The shell gets neither: programs begin with signals that are not caught.
    signal.signal(signal.SIGTERM, lambda *_: _end())
    # Ctrl-C is for the command. Ignored, it would be for the shell too, as for any background job.
    signal.signal(signal.SIGINT, lambda *_: None)
    tied_to(parent, signal.SIGTERM)()
    return subprocess.Popen(["bash", "-c", command], cwd=folder).wait()


def _end() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)
    until_s = time.monotonic() + END_S
    # The shell may end before what it started, so the group is asked.
    while _others() and time.monotonic() < until_s:
        # The shell's remains are a member too until they are collected.
        with suppress(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)
        time.sleep(0.1)
    os.killpg(0, signal.SIGKILL)


def _others() -> bool:
    """True if the group has members besides this process."""
    listed = subprocess.run(["pgrep", "-g", str(os.getpgid(0))], capture_output=True, text=True, check=False)
    return bool(set(map(int, listed.stdout.split())) - {os.getpid()})


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
