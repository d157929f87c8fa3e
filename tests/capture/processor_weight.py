"""Gives this process a weight in the division of the processor, as systemd's `CPUWeight=` gives a service."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

DEFAULT = 100
"""The weight of a service or session that has none of its own."""
_CGROUPS = Path("/sys/fs/cgroup")
_SHARES_FILE = _CGROUPS / "cpu" / "cpu.shares"
"""Exists if the processor is divided by cgroups of version 1."""
_SHARES = 1024
"""`cpu.shares` of cgroups of version 1 that stand for `DEFAULT`."""


@contextlib.contextmanager
def processor_weight(weight: int) -> Iterator[None]:
    """Move this process and its coming children into a group of that weight, and back at the end.

    Programs outside of it count as sessions of weight 100 each. Raises OSError if the process may not make
    groups.
    """
    group = _root() / f"watchword-{os.getpid()}"
    group.mkdir()
    try:
        if _SHARES_FILE.exists():
            (group / "cpu.shares").write_text(str(weight * _SHARES // DEFAULT))
        else:
            (group / "cpu.weight").write_text(str(weight))
        _move(os.getpid(), group)
        yield
    finally:
        leave_group(os.getpid())
        group.rmdir()


def leave_group(pid: int) -> None:
    """Move a child out of the group of `processor_weight`; its session then has the usual weight."""
    _move(pid, _root())


def _move(pid: int, group: Path) -> None:
    (group / "cgroup.procs").write_text(str(pid))


def _root() -> Path:
    return _SHARES_FILE.parent if _SHARES_FILE.exists() else _CGROUPS
