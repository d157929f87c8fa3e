"""`watchword check`: the state of this machine, with a remedy for each fault."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict

from daemon.cli.korean import speaker
from daemon.config.settings import Loaded
from daemon.doctor import running_daemon
from daemon.doctor.check import examine, probes
from daemon.doctor.findings import Finding


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
    # At once: the probes take up to minutes.
    say = speaker(lambda: loaded)
    _print(findings, args.json, say)
    running = running_daemon.find_running(loaded.settings, os.environ)
    with _low_priority(bool(running)):
        for finding in examine(loaded.settings, probes(loaded, running)):
            findings.append(finding)
            _print([finding], args.json, say)
    vital = [finding.name for finding in findings if finding.state == "fail"]
    if args.json:
        report = {"fine": not vital, "findings": [asdict(finding) for finding in findings]}
        sys.stdout.write(json.dumps(report, ensure_ascii=False, indent=2) + "\n")
    else:
        verdict = say("cannot work: {names}", names=", ".join(vital)) if vital else say("ready")
        sys.stdout.write(f"{verdict}\n")
    return 1 if vital else 0


@contextmanager
def _low_priority(beside_a_daemon: bool) -> Iterator[None]:
    """SCHED_IDLE for this process and its children: examining must not slow the daemon down."""
    if beside_a_daemon:
        # Inherited by the children that test the devices; see sched(7).
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    try:
        yield
    finally:
        if beside_a_daemon:
            # Not always allowed, see RLIMIT_NICE in sched(7); the process ends soon anyway.
            with suppress(PermissionError):
                os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def _print(findings: Iterable[Finding], as_json: bool, say: Callable[..., str]) -> None:
    for finding in findings:
        if not as_json:
            todo = f"; {say('to do')}: {finding.todo}" if finding.todo else ""
            sys.stdout.write(f"{say(finding.state):5} {finding.name:16} {finding.says}{todo}\n")
            sys.stdout.flush()
