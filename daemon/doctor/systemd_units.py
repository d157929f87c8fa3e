"""Probes of the systemd units: installed, enabled, running, and of this version."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from daemon.config.settings import Settings
from daemon.doctor.findings import Finding

PROPERTIES = (
    "LoadState", "ActiveState", "SubState", "UnitFileState", "Result", "NRestarts", "NeedDaemonReload",
    "ExecStart",
)  # fmt: skip
STARTS = ("enabled", "enabled-runtime", "static")
"""States of a unit's file in which it starts with the machine."""
TIMEOUT_S = 10.0
INSTANCE = "watchword@"
"""The prefix of the instances' units."""


@dataclass(frozen=True, slots=True)
class UnitState:
    """A unit as systemd knows it."""

    name: str
    scope: str
    """`--user`, or empty for the system's."""
    facts: Mapping[str, str]
    version: str = ""
    """Version of the program that it starts; empty if unknown."""

    @property
    def ctl(self) -> str:
        return f"systemctl{' ' + self.scope if self.scope else ''}"

    @property
    def active(self) -> bool:
        return self.facts.get("ActiveState") == "active"

    @property
    def instance(self) -> bool:
        """True for the unit of one of several cameras."""
        return self.name.startswith(INSTANCE)

    @property
    def loaded(self) -> bool:
        return self.facts.get("LoadState") == "loaded"


def service(_: Settings) -> Iterator[Finding]:
    """The daemon's unit and the web interface's, the system's and the user's."""
    # sd_booted(3): this folder exists exactly where systemd is the init process.
    if not Path("/run/systemd/system").is_dir() or shutil.which("systemctl") is None:
        yield Finding("systemd", "ok", "it does not run here; nothing starts Watchword with the machine")
        return
    yield from assess_units(units(), version("watchword"))


def units() -> list[UnitState]:
    """The installed units: the daemon's, its instances' and the web interface's."""
    return [
        unit
        # The user's manager has units of its own, and both may be installed.
        for scope in ("", "--user")
        for name in ("watchword", *_instances(scope), "watchword-web")
        if (unit := _unit(name, scope))
    ]


def _instances(scope: str) -> list[str]:
    """Names of the instances' units that run, have failed, or start with the machine."""
    flags = ("--all", "--plain", "--no-legend", "--type=service")
    listed = _output("systemctl", *_given(scope), "list-units", *flags, f"{INSTANCE}*")
    return sorted(re.findall(rf"^({re.escape(INSTANCE)}\S+)\.service", listed, re.MULTILINE))


def _given(scope: str) -> tuple[str, ...]:
    return (scope,) if scope else ()


def assess_units(known: list[UnitState], ours: str) -> Iterator[Finding]:
    """The faults of the installed units."""
    loaded = [unit for unit in known if unit.loaded]
    if not any(unit.name == "watchword" or unit.instance for unit in loaded):
        yield Finding(
            "systemd", "ok", "no unit is installed", "script/install, to have it start with the machine"
        )
    # Both would compete for the camera and the loudspeaker.
    active = [unit for unit in loaded if unit.name == "watchword" and unit.active]
    if len(active) > 1:
        todo = "systemctl disable --now watchword, or the same with --user"
        yield Finding("systemd", "fail", "the system's and the user's service both run", todo)
    instances = [unit for unit in loaded if unit.instance and unit.active]
    for unit in loaded:
        if unit.name == "watchword" and instances and _at_rest(unit):
            yield _beside(unit, instances)
        else:
            yield assess_unit(unit, ours)


def _at_rest(unit: UnitState) -> bool:
    """Neither running, nor failed, nor about to begin again."""
    return unit.facts.get("ActiveState") == "inactive"


def _beside(unit: UnitState, instances: list[UnitState]) -> Finding:
    """The finding on the unit without an instance name, which instances for each camera replace."""
    name, others = _title(unit), ", ".join(each.name for each in instances)
    if unit.facts.get("UnitFileState") in STARTS:
        todo = f"{unit.ctl} disable {unit.name}, or start it, where it is to speak for them"
        return Finding(name, "warn", f"it does not run but starts with the machine, beside {others}", todo)
    return Finding(name, "ok", f"not in use; {others} run instead")


def assess_unit(unit: UnitState, ours: str) -> Finding:
    """The worst finding about a unit. `ours`: the version of this program."""
    facts, name = unit.facts, _title(unit)
    state = facts.get("ActiveState", "unknown")
    if state == "failed":
        return Finding(
            name,
            "fail",
            f"it has failed: {facts.get('Result')}",
            f"{_log(unit)}; {unit.ctl} restart {unit.name}",
        )
    if facts.get("SubState") == "auto-restart":
        return Finding(name, "fail", f"it dies again and again ({facts.get('NRestarts')} times)", _log(unit))
    if facts.get("NeedDaemonReload") == "yes":
        todo = f"{unit.ctl} daemon-reload && {unit.ctl} restart {unit.name}"
        return Finding(name, "warn", "its file has changed since systemd read it", todo)
    if unit.version and unit.version != ours:
        return Finding(name, "warn", f"it starts version {unit.version}, this is {ours}", "script/install")
    if facts.get("UnitFileState") not in STARTS:
        todo = f"{unit.ctl} enable {unit.name}"
        return Finding(name, "warn", f"{state}, but it does not start with the machine", todo)
    restarts = int(facts.get("NRestarts") or 0)
    again = f", started again {restarts} times" if restarts else ""
    if state != "active":
        return Finding(name, "warn", f"enabled, but {state}", f"{unit.ctl} start {unit.name}")
    return Finding(name, "ok", f"enabled and running{again}")


def _title(unit: UnitState) -> str:
    return f"unit {unit.name}{' ' + unit.scope if unit.scope else ''}"


def _log(unit: UnitState) -> str:
    return f"journalctl {unit.scope + ' ' if unit.scope else ''}-u {unit.name} -n 50"


def _unit(name: str, scope: str) -> UnitState | None:
    shown = _output("systemctl", *_given(scope), "show", f"{name}.service", "-p", ",".join(PROPERTIES))
    facts = dict(line.partition("=")[::2] for line in shown.splitlines() if "=" in line)
    # No answer: for `--user` there may be no manager in this session.
    if not facts:
        return None
    # ExecStart is shown as `{ path=... ; argv[]=... ; ... }`.
    program = re.search(r"path=(\S+)", facts.get("ExecStart", ""))
    # The program itself is asked: the unit may start another installation than this one.
    words = _output(program[1], "--version").split() if program and facts.get("LoadState") == "loaded" else []
    return UnitState(name, scope, facts, words[-1] if len(words) == 2 else "")


def _output(*command: str) -> str:
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)  # noqa: S603
        return done.stdout if done.returncode == 0 else ""
    return ""
