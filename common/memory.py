"""Reads from Linux how much memory is available and used, and keeps glibc from holding what is free."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from pathlib import Path

RESERVE_BYTES = 512 * 2**20
"""Memory that no model may take: it is left to the detection loop and the rest of the machine."""
ARENAS = 2
"""Heaps of the daemon: one for the main thread, one for all others, few of which allocate at once."""
_M_ARENA_MAX = -8
"""Of mallopt(3)."""


def available_bytes() -> int:
    """Memory usable now without swapping (MemAvailable), within the limit of this control group."""
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return min(int(line.split()[1]) * 1024, _group_bytes())
    return _group_bytes()


def _group_bytes() -> int:
    """Bytes left below the limit of the control group (version 2); 2**62 if there is no limit."""
    try:
        place = Path("/proc/self/cgroup").read_text(encoding="ascii").strip().rpartition("::")[2]
        group = Path("/sys/fs/cgroup" + place)
        limit = (group / "memory.max").read_text(encoding="ascii").strip()
        used = int((group / "memory.current").read_text(encoding="ascii"))
        # 2**62 stands for "no limit", so that callers need no special case.
        return 2**62 if limit == "max" else max(int(limit) - used, 0)
    except (OSError, ValueError):
        return 2**62


def resident_bytes(pid: int) -> int:
    """Resident memory of a process; 0 if it is gone."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def peak_bytes(pid: int) -> int:
    """The most a process has had in memory (VmHWM); 0 if it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def limit_arenas(most: int = ARENAS) -> None:
    """Let all threads of this process share so many heaps. For the start, before there are threads.

    By default glibc gives each thread a heap of its own, up to eight a processor, and none returns what is
    free in its middle. Does nothing with another C library.
    """
    _call_libc("mallopt", _M_ARENA_MAX, most)


def return_free_memory() -> None:
    """Give free memory of this process back to Linux, after work that needed much for a moment."""
    _call_libc("malloc_trim", 0)


def _call_libc(function: str, *arguments: int) -> None:
    # Not every C library has these functions, and nothing depends on them.
    with suppress(OSError, AttributeError):
        getattr(ctypes.CDLL(None), function)(*arguments)


def gigabytes(size: int) -> str:
    """Format bytes as `3.5 GB`."""
    return f"{size / 1e9:.1f} GB"
