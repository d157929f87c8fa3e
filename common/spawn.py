"""Starts a module as a child process that talks over a socket and cannot outlive its parent."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from common.own_process import PR_SET_PDEATHSIG


@dataclass(frozen=True, slots=True)
class ChildHandle:
    """A child in its own session, and our end of the socket to it."""

    process: subprocess.Popen[bytes]
    link: socket.socket

    def end(self) -> None:
        """Kill the child with all it started."""
        # Before the link is closed, which the child might report as a fault of its own.
        with contextlib.suppress(ProcessLookupError):
            # The whole session: the child may have started processes of its own.
            os.killpg(self.process.pid, signal.SIGKILL)
        self.link.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(2.0)


def spawn(module: str) -> ChildHandle:
    """Run `python -m MODULE FD PARENT`, which is to call `exit_with_parent(PARENT)` first.

    The kernel counts the thread that forks as the parent, so that thread has to live on. Raises OSError.
    """
    ours, theirs = socket.socketpair()
    root = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    with theirs:
        process = subprocess.Popen(  # noqa: S603 -- our own interpreter and module
            # -P: the current folder must not shadow our modules.
            [sys.executable, "-P", "-m", module, str(theirs.fileno()), str(os.getpid())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,
        )
    return ChildHandle(process, ours)


def tied_to(parent: int, number: signal.Signals = signal.SIGKILL) -> Callable[[], None]:
    """A `preexec_fn`: the kernel sends the program that signal once its parent has ended, even by SIGKILL.

    For programs that do not call `exit_with_parent` themselves. The signal comes when the thread ends that
    started the program.
    """
    # Looked up here: after a fork nothing may be loaded.
    prctl = ctypes.CDLL(None).prctl

    def prepare() -> None:
        prctl(PR_SET_PDEATHSIG, number)
        # The parent may have died before prctl took effect; then no signal would come.
        if os.getppid() != parent:
            os._exit(1)

    return prepare
