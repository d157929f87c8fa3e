"""`watchword tune`: measures the models on the devices of this machine, and plans the settings from that."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from daemon.cli.korean import speaker
from daemon.cli.working_line import working_line
from daemon.config.layers import leaves
from daemon.config.schema import dotted
from daemon.config.settings import Loaded, overrides_file
from daemon.errors import CommandError, UsageError
from daemon.tune import written
from daemon.tune.measurement import measure, running_daemons
from daemon.tune.plan import Plan, decide
from daemon.tune.report import as_json, lines

Say = Callable[..., str]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--write", action="store_true", help="write the plan into the settings, do not ask")
    parser.add_argument("--undo", action="store_true", help="take back what was written")
    parser.add_argument(
        "--power",
        choices=("auto", "mains", "battery"),
        default="auto",
        help="the supply to plan for; the present one by default",
    )
    parser.add_argument(
        "--anyway",
        action="store_true",
        help="measure although watchword is running: its warnings come later meanwhile",
    )


def execute(args: argparse.Namespace, load: Callable[[], Loaded]) -> int:
    """Raises CommandError, UsageError, ConfigError."""
    if args.undo and (args.write or args.json or args.anyway or args.power != "auto"):
        raise UsageError("--undo measures nothing; leave the other options out")
    if args.anyway and args.write:
        raise UsageError("figures measured beside a running watchword are not to be written; stop it first")
    if args.undo:
        # Without loading the settings: a plan that makes them invalid must be removable.
        return _undo(overrides_file(args.config, os.environ, {}), speaker(load))
    loaded = load()
    say = speaker(lambda: loaded)
    # What is measured must not depend on an earlier plan.
    plain = written.untuned(loaded)
    running = tuple(running_daemons(plain.settings, os.environ))
    if running and not args.anyway:
        raise CommandError(say(_RUNNING, sockets=", ".join(map(str, running))))
    if running:
        sys.stderr.write(f"{say('measured beside a running watchword: alone, this machine is faster')}\n")
    # Here, and not around the whole command: it would write over the question.
    with working_line("tune", os.environ.get("TERM", "")) as note:
        found = measure(plain.settings, args.power, note)
    plan = decide(found.detectors, found.describers, found.conditions)
    present = {dotted(path): value for path, value in leaves(loaded.settings.model_dump(mode="json"))}
    if args.json:
        sys.stdout.write(json.dumps(as_json(found, plan, present), ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in lines(found, plan, present, say))
    if plan.detector is None:
        return 1
    settle(args, loaded, plan, present, say, asks=not (args.json or running))
    return 0


_RUNNING = (
    "watchword is running (socket {sockets}): its warnings would come late, and the figures would be wrong. "
    "Stop it first, with Ctrl-C or `systemctl stop watchword`; --anyway measures all the same"
)


def settle(
    args: argparse.Namespace, loaded: Loaded, plan: Plan, present: dict[str, Any], say: Say, *, asks: bool
) -> None:
    """Write the plan if that is wanted; with `--json` say so on standard error."""
    out = sys.stderr if args.json else sys.stdout
    if all(present[one.key] == one.value for one in plan.settings):
        out.write(f"{say('the settings are as planned already')}\n")
        return
    if not args.write and not (asks and _agreed(say)):
        out.write(f"{say('nothing was written; `watchword tune --write` writes the plan')}\n")
        return
    weak = written.write(loaded, plan.settings)
    out.write(f"{say('written to {file}; it holds at the next start', file=loaded.overrides)}\n")
    for place in weak:
        out.write(f"{say('but this is stronger: {place}', place=place)}\n")
    out.write(f"{say('`watchword tune --undo` takes it back')}\n")


def _agreed(say: Say) -> bool:
    # A script must not hang on a question.
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    sys.stdout.write(f"{say('Write this plan into the settings?')} [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes", "예", "네")


def _undo(overrides: Path, say: Say) -> int:
    done = written.undo(overrides)
    names = ", ".join(done.restored) or say("nothing")
    sys.stdout.write(f"{say('taken back: {names}; it holds at the next start', names=names)}\n")
    if done.kept:
        changed = say("changed since, and left alone: {names}", names=", ".join(done.kept))
        sys.stdout.write(f"{changed}\n")
    return 0
