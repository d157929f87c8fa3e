"""Reads from Linux how much memory is available, and how much a process uses."""

from __future__ import annotations

import os
from pathlib import Path

RESERVE_BYTES = 512 * 2**20
"""Memory that no model may take: it is left to the detection loop and the rest of the machine."""


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


def gigabytes(size: int) -> str:
    """Format bytes as `3.5 GB`."""
    return f"{size / 1e9:.1f} GB"
