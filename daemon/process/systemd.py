"""Notifies systemd: ready, alive, reloading, stopping. The protocol is that of sd_notify(3)."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Collection, Mapping

log = logging.getLogger(__name__)

SEND_TIMEOUT_S = 1.0
OWN = frozenset({"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})


def without_notify(env: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child, which must not notify systemd in our name."""
    return {name: value for name, value in env.items() if name not in OWN}


def is_service(env: Mapping[str, str], pids: Collection[int] = ()) -> bool:
    """Whether a service manager runs this process itself, or by a script that stays its parent.

    INVOCATION_ID alone is not enough: a terminal may be a unit, and hands it down to all that runs in it.
    SYSTEMD_EXEC_PID (systemd.exec, since 248) names the process it is meant for. `pids`: this process and its
    parent.
    """
    if env.get("NOTIFY_SOCKET"):
        return True
    meant = env.get("SYSTEMD_EXEC_PID", "")
    pids = pids or (os.getpid(), os.getppid())
    return bool(env.get("INVOCATION_ID")) and (not meant or meant in map(str, pids))


class Notifier:
    """Does nothing if systemd does not listen. Never raises, never waits longer than a second."""

    def __init__(self, env: Mapping[str, str], pid: int | None = None) -> None:
        self.watchdog_s = _watchdog_s(env, os.getpid() if pid is None else pid)
        """systemd ends us after so many seconds without `watchdog`; None if it does not watch us."""
        self._address = _address(env.get("NOTIFY_SOCKET", ""))
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) if self._address else None
        if self._socket:
            # systemd's receive buffer may be full while it is busy.
            self._socket.settimeout(SEND_TIMEOUT_S)
        self._failed = False

    def ready(self, status: str = "") -> None:
        """Report that the start, or a reload, is complete."""
        self._send("READY=1", *_status(status))

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._send(*_status(text))

    def watchdog(self) -> None:
        """Report that the process is alive."""
        self._send("WATCHDOG=1")

    def reloading(self) -> None:
        """Report that the settings are read again; `ready` ends that."""
        # The time is required with Type=notify-reload (sd_notify(3)).
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self, status: str = "") -> None:
        """Report that the process is stopping."""
        self._send("STOPPING=1", *_status(status))

    def extend(self, seconds: float) -> None:
        """Ask for so many more seconds, from now on, to start, reload or stop."""
        self._send(f"EXTEND_TIMEOUT_USEC={round(seconds * 1e6)}")

    def close(self) -> None:
        if self._socket:
            self._socket.close()
            self._socket = None

    def _send(self, *lines: str) -> None:
        if self._socket is None or not lines:
            return
        try:
            self._socket.sendto("\n".join(lines).encode(), self._address)
            self._failed = False
        except OSError as error:
            # Once a failure, and not at every beat.
            if not self._failed:
                log.warning("cannot notify systemd of %s: %s", lines[0], error.strerror or error)
            self._failed = True


def _address(name: str) -> str:
    """`@` means the null byte of Linux's abstract names. Other kinds (vsock) are not supported."""
    return f"\0{name[1:]}" if name.startswith("@") else name if name.startswith("/") else ""


def _watchdog_s(env: Mapping[str, str], pid: int) -> float | None:
    usec, wanted = env.get("WATCHDOG_USEC", ""), env.get("WATCHDOG_PID", "")
    # The variables are inherited by children: WATCHDOG_PID tells for whom they are meant.
    if not usec.isascii() or not usec.isdigit() or int(usec) == 0 or wanted not in ("", str(pid)):
        return None
    return int(usec) / 1e6


def _status(text: str) -> tuple[str, ...]:
    # One line: a line break would begin another assignment.
    return (f"STATUS={' '.join(text.split())}",) if text else ()
