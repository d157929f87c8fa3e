"""`watchword check`: what works on this machine, and what to do about the rest."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict

from daemon.config.settings import Loaded, Settings
from daemon.doctor import files, machine, network, running_daemon
from daemon.doctor.devices import all_probes
from daemon.doctor.findings import Finding, Probe
from daemon.doctor.running_daemon import RunningDaemon
from daemon.doctor.systemd_units import service


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument(
        "--instance", dest="control.instance", metavar="NAME", help="the daemon to ask, where several run"
    )
    parser.add_argument("--source", dest="capture.source", metavar="S", help="the camera to look at")


def execute(args: argparse.Namespace, load: Callable[[], Loaded]) -> int:
    loaded = load()
    files = ", ".join(map(str, loaded.files)) or "defaults"
    findings = [Finding("settings", "ok", files)]
    _tell(findings, args.json)
    running = running_daemon.find_running(loaded.settings, os.environ)
    with _aside(bool(running)):
        for finding in examine(loaded.settings, probes(loaded, running)):
            findings.append(finding)
            _tell([finding], args.json)
    vital = [finding.name for finding in findings if finding.state == "fail"]
    if args.json:
        report = {"fine": not vital, "findings": [asdict(finding) for finding in findings]}
        sys.stdout.write(json.dumps(report, ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stdout.write(f"cannot work: {', '.join(vital)}\n" if vital else "ready\n")
    return 1 if vital else 0


@contextmanager
def _aside(beside_a_daemon: bool) -> Iterator[None]:
    """Only with what processor time is left, children too: to examine must not slow what watches."""
    if beside_a_daemon:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    try:
        yield
    finally:
        if beside_a_daemon:
            with suppress(PermissionError):
                os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def probes(loaded: Loaded, running: RunningDaemon) -> Iterator[Probe]:
    """Everything that is looked at."""
    yield lambda _: running_daemon.daemon(running)
    yield from all_probes(running)
    yield from (machine.libraries, machine.processor, machine.accelerators)
    yield from (machine.memory, machine.disks, machine.clock, machine.real_time)
    yield lambda _: files.configuration(loaded.files)
    yield from (files.overrides, files.journal, service)
    yield lambda settings: network.web(settings.web)
    yield network.mqtt


def examine(settings: Settings, probes: Iterable[Probe]) -> Iterator[Finding]:
    """What each probe finds, as soon as it is known. A probe that fails itself is a finding too."""
    for probe in probes:
        try:
            yield from probe(settings)
        except Exception as error:  # the others are still to be heard
            name = getattr(probe, "__name__", type(probe).__name__)
            yield Finding(
                name, "warn", f"could not be looked at: {type(error).__name__}: {error}", "report it"
            )


def _tell(findings: Iterable[Finding], as_json: bool) -> None:
    for finding in findings:
        if not as_json:
            todo = f"; to do: {finding.todo}" if finding.todo else ""
            sys.stdout.write(f"{finding.state:5} {finding.name:16} {finding.says}{todo}\n")
            sys.stdout.flush()
