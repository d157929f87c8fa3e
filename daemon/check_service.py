"""The doctor at systemd's: is the unit installed, enabled, running, and of this version?"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from daemon.check_findings import Finding
from daemon.settings import Settings

PROPERTIES = (
    "LoadState", "ActiveState", "SubState", "UnitFileState", "Result", "NRestarts", "NeedDaemonReload",
    "ExecStart",
)  # fmt: skip
TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as systemd knows it."""

    name: str
    scope: str
    """`--user`, or empty for the system's."""
    facts: Mapping[str, str]
    version: str = ""
    """Of the program that it starts, as far as that tells."""

    @property
    def ctl(self) -> str:
        return f"systemctl{' ' + self.scope if self.scope else ''}"

    @property
    def loaded(self) -> bool:
        return self.facts.get("LoadState") == "loaded"


def service(_: Settings) -> Iterator[Finding]:
    """The daemon's unit and the desk's, the system's and the user's."""
    if not Path("/run/systemd/system").is_dir() or shutil.which("systemctl") is None:
        yield Finding("systemd", "ok", "it does not run here; nothing starts Watchword with the machine")
        return
    yield from judged_units(units(), version("watchword"))


def units() -> list[Unit]:
    """What systemd knows of ours."""
    names = ("watchword", "watchword-desk")
    return [unit for name in names for scope in ("", "--user") if (unit := _unit(name, scope))]


def judged_units(known: list[Unit], ours: str) -> Iterator[Finding]:
    """What is wrong with those that are installed."""
    loaded = [unit for unit in known if unit.loaded]
    if not any(unit.name == "watchword" for unit in loaded):
        yield Finding(
            "systemd", "ok", "no unit is installed", "script/install, to have it start with the machine"
        )
    active = [
        unit for unit in loaded if unit.name == "watchword" and unit.facts.get("ActiveState") == "active"
    ]
    if len(active) > 1:
        todo = "systemctl disable --now watchword, or the same with --user"
        yield Finding("systemd", "fail", "the system's and the user's service both run", todo)
    for unit in loaded:
        yield judged_unit(unit, ours)


def judged_unit(unit: Unit, ours: str) -> Finding:
    """One finding: the worst there is to say."""
    facts, name = unit.facts, f"unit {unit.name}{' ' + unit.scope if unit.scope else ''}"
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
    if facts.get("UnitFileState") not in ("enabled", "enabled-runtime", "static"):
        todo = f"{unit.ctl} enable {unit.name}"
        return Finding(name, "warn", f"{state}, but it does not start with the machine", todo)
    restarts = int(facts.get("NRestarts") or 0)
    again = f", started again {restarts} times" if restarts else ""
    if state != "active":
        return Finding(name, "warn", f"enabled, but {state}", f"{unit.ctl} start {unit.name}")
    return Finding(name, "ok", f"enabled and running{again}")


def _log(unit: Unit) -> str:
    return f"journalctl {unit.scope + ' ' if unit.scope else ''}-u {unit.name} -n 50"


def _unit(name: str, scope: str) -> Unit | None:
    shown = _output(
        "systemctl", *([scope] if scope else []), "show", f"{name}.service", "-p", ",".join(PROPERTIES)
    )
    facts = dict(line.partition("=")[::2] for line in shown.splitlines() if "=" in line)
    if not facts:
        return None
    program = re.search(r"path=(\S+)", facts.get("ExecStart", ""))
    told = _output(program[1], "--version").split() if program and facts.get("LoadState") == "loaded" else []
    return Unit(name, scope, facts, told[-1] if len(told) == 2 else "")


def _output(*command: str) -> str:
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)  # noqa: S603
        return done.stdout if done.returncode == 0 else ""
    return ""
