"""How busy a machine was with other programs while something was measured.

The kernel's total of processor time, less what this process and its children used, is what others used.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from pathlib import Path

QUIET_SHARE = 0.15
"""Share of the processors that others may use in a run that counts as quiet: ordinary background work."""
_STAT = Path("/proc/stat")


def others_share(before: float, after: float, own_s: float, wall_s: float, processors: int) -> float:
    """Share of the processors, 0 to 1, that other programs used.

    `before` and `after`: seconds of busy processor time of the whole machine; `own_s`: those of ours between.
    """
    if wall_s <= 0:
        return 0.0
    return min(1.0, max(0.0, (after - before - own_s) / (wall_s * processors)))


class LoadMeter:
    """Measures from its construction on; reading is cheap."""

    def __init__(
        self,
        machine_s: Callable[[], float] | None = None,
        own_s: Callable[[], float] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._machine_s = machine_s or busy_s
        self._own_s = own_s or process_s
        self._clock = clock
        self._begun = self._machine_s(), self._own_s(), clock()

    def share(self) -> float:
        """Share of the processors that other programs have used since the construction, 0 to 1.

        Children that have not been waited for count as others until they have ended.
        """
        machine_s, own_s, begun_s = self._begun
        return others_share(
            machine_s,
            self._machine_s(),
            self._own_s() - own_s,
            self._clock() - begun_s,
            os.cpu_count() or 1,
        )


def busy_s(stat: Path = _STAT) -> float:
    """Seconds of processor time since the start of the machine that were not idle (proc_stat(5))."""
    fields = [int(field) for field in stat.read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]]
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields
    # Stolen time counts: another virtual machine slows this one like another program.
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def process_s() -> float:
    """Seconds of processor time of this process and of its children that have ended."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
