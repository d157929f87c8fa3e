"""What a child process does about itself: it ends with its parent, and takes or gives way.

Apart from `spawn`, whose libraries a child that starts no others has no use for.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
from pathlib import Path

PR_SET_PDEATHSIG = 1
FIRST_NICE = -11
"""The nice value that PulseAudio and PipeWire use for themselves."""
IDLE = 20
"""Beyond the last nice value: SCHED_IDLE, which Linux too counts as nice 20."""
WAITED_NICE = 15
"""Nice value of work that a client waits for.

It gets a thirtieth of a processor that another program keeps busy. With SCHED_IDLE it would get a hundredth
and miss its deadline. Beside four busy programs, nice 19 to nice 5 cost a detector of ordinary priority a
fifth of its frames or more, SCHED_IDLE none; so what computes for minutes, as a describer, gets SCHED_IDLE
(`python -m daemon.bench.priorities`).
"""


def raise_priority(nice: int = FIRST_NICE, pid: int | None = None) -> None:
    """Raise the priority of a process, or of this one, as far as permitted (CAP_SYS_NICE or a NICE limit).

    Linux shares the processors between sessions before it compares nice values within one (autogroup). So a
    process that leads a session sets the nice value of its session too. Without permission, nothing changes.
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid or 0, nice)
    with contextlib.suppress(OSError):
        Path("/proc", str(pid or "self"), "autogroup").write_text(str(nice), encoding="ascii")


def exit_with_parent(parent: int) -> None:
    """Have the kernel end this process with its parent."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have died before prctl took effect; then no signal would come.
    if os.getppid() != parent:
        os._exit(1)


def lower_priority(nice: int = IDLE) -> None:
    """Run at `nice`, or at idle priority, and be the first to be killed if memory runs out.

    Applies to all present threads and to those they start. An unprivileged process cannot undo it.
    """
    # No core dumps: they would write gigabytes, with the wearer's pictures in them.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _tell_kernel("oom_score_adj", "1000")
    for thread in Path("/proc/self/task").iterdir():
        _lower(int(thread.name), nice)
    if nice > 0 and os.getsid(0) == os.getpid():  # only our own: the value slows the whole session
        # A session has its own share of the processors, whatever the priority of its processes.
        _tell_kernel("autogroup", str(min(nice, 19)))


def _lower(thread: int, nice: int) -> None:
    if nice >= IDLE:
        os.sched_setscheduler(thread, os.SCHED_IDLE, os.sched_param(0))
    elif nice > os.getpriority(os.PRIO_PROCESS, thread):  # an inherited lower priority stays
        os.setpriority(os.PRIO_PROCESS, thread, nice)


def _tell_kernel(file: str, value: str) -> None:
    with contextlib.suppress(OSError):  # not every kernel has the file; the child can do without it
        Path("/proc/self", file).write_text(value, encoding="ascii")
