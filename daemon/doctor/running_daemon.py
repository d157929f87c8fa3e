"""Probes of a running daemon: a camera or loudspeaker that it holds cannot be tested from outside."""

from __future__ import annotations

import pwd
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from daemon.config.settings import Settings
from daemon.control.client import ControlClient, NotRunning
from daemon.control.commands import StatusCommand
from daemon.control.paths import client_sockets, instances, state_socket
from daemon.doctor.findings import Finding, State
from daemon.errors import CommandError

BETWEEN_S = 2.0
"""Seconds between two readings of the counts, which tell old skips from present ones."""
FEWEST = 5.0
"""Pictures a second of a live source, below which a danger may arrive before it is seen."""
CLEARLY = 0.8
"""Below this share of its configured rate a camera delivers clearly less."""

FIXES: Mapping[str, str] = {
    "camera": "look at its cable and power; `journalctl -u UNIT` says more",
    "picture": "look whether the lens is covered, dirty or in the dark",
    "detector": "late: set capture.device_fps lower, or pipeline.device to a faster one; "
    "failed, hung: run `watchword models verify`, or set pipeline.device to CPU",
    "describer": "watchword models list; `journalctl -u UNIT` says more",
    "voice": "apt-get install espeak-ng, then systemctl restart UNIT",
    "loudspeaker": "plug it in or switch it on; `aplay -l` lists what there is",
    "disk": "make room on the disk of paths.state",
    "configuration": "the last good one is used; `watchword config check` names the mistakes, then reload",
}


@dataclass(frozen=True, slots=True)
class RunningDaemon:
    """The daemon on this machine. If it answers, two statuses, `BETWEEN_S` apart."""

    path: Path | None = None
    owner: str = ""
    status: Mapping[str, Any] = field(default_factory=dict)
    later: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    """Why it cannot be asked, though a socket is there."""
    stale: tuple[Path, ...] = ()
    """Sockets without a listening process."""
    others: tuple[str, ...] = ()
    """Instances that have a socket if the configured one has none."""

    def __bool__(self) -> bool:
        return bool(self.status)


def find_running(
    settings: Settings, env: Mapping[str, str], pause: Callable[[float], None] = time.sleep
) -> RunningDaemon:
    """Ask the daemon that clients with these settings would reach; takes `BETWEEN_S`."""
    instance = settings.control.instance
    # `fromkeys`: several rules can lead to the same socket, which is asked once.
    paths = dict.fromkeys((*client_sockets(env, instance), state_socket(settings.paths.state, instance)))
    stale: list[Path] = []
    for path in paths:
        if not path.is_socket():
            continue
        try:
            with ControlClient(path) as client:
                status = client.ask(StatusCommand())
                pause(BETWEEN_S)
                # Two statuses: counts since the start would show skips of long ago as present.
                return RunningDaemon(
                    path, _owner(path), status, client.ask(StatusCommand()), stale=tuple(stale)
                )
        # A process that was killed leaves its socket file behind.
        except NotRunning:
            stale.append(path)
        except CommandError as error:
            return RunningDaemon(path, _owner(path), problem=str(error), stale=tuple(stale))
    beside = {name for folder in {path.parent for path in paths} for name in instances(folder)}
    return RunningDaemon(stale=tuple(stale), others=tuple(sorted(beside - {instance})))


def _owner(path: Path) -> str:
    uid = path.stat().st_uid
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def daemon(running: RunningDaemon, installed: str | None = None) -> Iterator[Finding]:
    """Whether a daemon runs, its owner, and the state of its components."""
    for path in running.stale:
        yield Finding(
            "control socket",
            "ok",
            f"{path} is left from a daemon that is gone",
            "nothing: a start replaces it",
        )
    if running.problem:
        yield Finding("daemon", "warn", f"{running.path} of {running.owner}: {running.problem}")
        return
    if not running:
        yield _none(running.others)
        return
    status = running.status
    said = f"process {status.get('pid')} of {running.owner}, {status.get('source')}"
    ours, its = installed or version("watchword"), str(status.get("version"))
    if its != ours:
        yield Finding("daemon", "warn", f"{said}; it is {its}, this command {ours}", "restart it")
    else:
        yield Finding("daemon", "ok", f"{said}, version {its}, up {float(status.get('uptime_s', 0)):.0f} s")
    yield from _components(running.later)


def _none(others: tuple[str, ...]) -> Finding:
    if not others:
        return Finding("daemon", "ok", "none runs here", "watchword run, or systemctl start watchword")
    says = f"none of that name runs here, but there are instances: {', '.join(others)}"
    return Finding("daemon", "ok", says, f"watchword check --instance {others[0]}")


def _unit_of(status: Mapping[str, Any]) -> str:
    instance = status.get("instance")
    return f"watchword@{instance}" if instance else "watchword"


def _fix(component: str, unit: str = "watchword") -> str:
    return FIXES.get(component, "").replace("UNIT", unit)


def _components(status: Mapping[str, Any]) -> Iterator[Finding]:
    unit = _unit_of(status)
    for name, component in status.get("components", {}).items():
        reason = component.get("reason", "ok")
        if reason != "ok":
            detail = f": {component['detail']}" if component.get("detail") else ""
            yield Finding(f"component {name}", _badness(name), f"{reason}{detail}", _fix(name, unit))
    for name in status.get("lost", ()):
        yield Finding(
            f"part {name}", "warn", "it has ended by itself", f"journalctl -u {unit}; then restart it"
        )
    if float(status.get("danger_muted_s", 0)) > 0:
        yield Finding(
            "danger", "warn", f"silent for {status['danger_muted_s']:.0f} s more", "watchword mute 0"
        )


def _badness(component: str) -> State:
    # Without one of these the wearer is not warned.
    return "fail" if component in ("camera", "picture", "detector", "voice") else "warn"


def rate_of(running: RunningDaemon, device_fps: int = 0) -> Finding:
    """The camera's rate, from the daemon that holds it; `device_fps` as in `assess_rate`."""
    before, after = running.status, running.later
    fps = float(after.get("fps", 0.0))
    skipped = int(after.get("skipped", 0)) - int(before.get("skipped", 0))
    frames = int(after.get("frames", 0)) - int(before.get("frames", 0))
    return assess_rate(str(after.get("source")), frames, skipped, fps, live=True, device_fps=device_fps)


def assess_rate(
    source: str, frames: int, skipped: int, fps: float, *, live: bool = False, device_fps: int = 0
) -> Finding:
    """Every delivered frame must be assessed, at the rate that is configured.

    `live`: the figures are a daemon's own. `device_fps`: the rate requested of a device; 0: its own.
    """
    where = " (the daemon's own figures)" if live else ""
    says = f"{fps:.1f} pictures a second assessed, {skipped} of {frames} skipped{where}"
    if frames == 0:
        return Finding("camera rate", "fail", f"{source}: no picture came{where}", _fix("camera"))
    if skipped:
        # A tenth below the measured rate leaves room for heat and other programs.
        most = max(1, int(fps * 0.9))
        slower = (
            f"capture.device_fps = {most}"
            if _is_device(source)
            else f"have it send {most} pictures a second at most"
        )
        todo = f"{slower}, or take a faster pipeline.model or pipeline.device"
        return Finding("camera rate", "fail", says, todo)
    if slow := _too_slow(source, fps, device_fps):
        return Finding("camera rate", "warn", f"{says}; {slow}", _faster(source))
    return Finding("camera rate", "ok", says)


def _too_slow(source: str, fps: float, device_fps: int) -> str:
    """Why too few pictures come; empty if there are enough. A recording has its own rate."""
    # 0 asks for nothing, and no rate is below it.
    if _is_device(source) and fps < CLEARLY * device_fps:
        return f"capture.device_fps asks for {device_fps}"
    if (_is_device(source) or "://" in source) and fps < FEWEST:
        return f"dangers are told late below {FEWEST:g}"
    return ""


def _faster(source: str) -> str:
    if not _is_device(source):
        return "have it send more pictures a second, or look at the network"
    return (
        "more light, another USB port or smaller capture.device_width and device_height; "
        "`v4l2-ctl --list-formats-ext` lists its rates"
    )


def _is_device(source: str) -> bool:
    return source.isdigit() or source.startswith("/dev/")


def listening(address: str, port: int, timeout_s: float = 1.0) -> bool:
    """True if a TCP connection to this address succeeds."""
    with suppress(OSError), socket.create_connection((address, port), timeout_s):
        return True
    return False


def port_owner(port: int) -> str:
    """The process that listens at a TCP port of this machine; empty if it may not be seen."""
    inodes = {line for table in ("tcp", "tcp6") for line in _listeners(Path("/proc/net", table), port)}
    # /proc has no way from a socket to its process: every process's open files are searched.
    for folder in Path("/proc").glob("[0-9]*"):
        # Other users' files may not be read, and processes end meanwhile.
        with suppress(OSError):
            if any(str(link.readlink()) in inodes for link in (folder / "fd").iterdir()):
                return f"process {folder.name}, {(folder / 'comm').read_text().strip()}"
    return ""


def _listeners(table: Path, port: int) -> Iterator[str]:
    with suppress(OSError):
        for line in table.read_text().splitlines()[1:]:
            fields = line.split()
            # proc(5): 0A is TCP_LISTEN; local address and port are hexadecimal, field 9 is the inode.
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                yield f"socket:[{fields[9]}]"
