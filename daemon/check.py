"""`watchword check`: what works on this machine, and what to do about the rest."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict

from daemon.check_probes import PROBES, Finding, Probe
from daemon.settings import Loaded, Settings


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--source", dest="capture.source", metavar="S", help="the camera to look at")


def execute(args: argparse.Namespace, load: Callable[[], Loaded]) -> int:
    loaded = load()
    files = ", ".join(map(str, loaded.files)) or "defaults"
    findings = [Finding("settings", "ok", files)]
    _tell(findings, args.json)
    for finding in examine(loaded.settings, PROBES):
        findings.append(finding)
        _tell([finding], args.json)
    vital = [finding.name for finding in findings if finding.state == "fail"]
    if args.json:
        report = {"fine": not vital, "findings": [asdict(finding) for finding in findings]}
        sys.stdout.write(json.dumps(report, ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stdout.write(f"cannot work: {', '.join(vital)}\n" if vital else "ready\n")
    return 1 if vital else 0


def examine(settings: Settings, probes: Iterable[Probe]) -> Iterable[Finding]:
    """What each probe finds, as soon as it is known."""
    for probe in probes:
        yield from probe(settings)


def _tell(findings: Iterable[Finding], as_json: bool) -> None:
    for finding in findings:
        if not as_json:
            todo = f"; to do: {finding.todo}" if finding.todo else ""
            sys.stdout.write(f"{finding.state:5} {finding.name:16} {finding.says}{todo}\n")
            sys.stdout.flush()
