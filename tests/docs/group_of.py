"""Runs a shell command that ends, with its whole process group, when the tests end, even by SIGKILL.

`python -m tests.docs.group_of PARENT FOLDER COMMAND`, as the leader of a session.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from common.spawn import tied_to

END_S = 20.0
"""Seconds in which a daemon may stop by itself."""


def main(parent: int, folder: str, command: str) -> int:
    tied_to(parent, signal.SIGTERM)()
    # A background job inherits that Ctrl-C is ignored; the command is to get it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    shell = subprocess.Popen(["bash", "-c", command], cwd=folder)
    # Ctrl-C is for the command; ignored only now, since the shell would inherit it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: _end(shell))
    return shell.wait()


def _end(shell: subprocess.Popen[bytes]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)
    until_s = time.monotonic() + END_S
    # The shell may end before what it started, so the group is asked and not the shell.
    while _others() and time.monotonic() < until_s:
        shell.poll()
        time.sleep(0.1)
    os.killpg(0, signal.SIGKILL)


def _others() -> bool:
    """True if the group has members besides this process."""
    listed = subprocess.run(["pgrep", "-g", str(os.getpgid(0))], capture_output=True, text=True, check=False)
    return bool(set(map(int, listed.stdout.split())) - {os.getpid()})


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
