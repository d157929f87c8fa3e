"""`watchword status`: the state of the running daemon. Exit code 1 if a component or part has failed."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from daemon.cli.korean import speaker
from daemon.cli.remote import connection
from daemon.cli.remote.connection import Load, send
from daemon.control.commands import StatusCommand
from daemon.core.health import OK


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--aloud", action="store_true", help="have the daemon say it too")
    connection.configure(parser)


def execute(args: argparse.Namespace, load: Load) -> int:
    status = send(args, load, StatusCommand(aloud=args.aloud))
    lines = readable(status, speaker(load))
    text = json.dumps(status, ensure_ascii=False, indent=2) if args.json else "\n".join(lines)
    sys.stdout.write(f"{text}\n")
    return 0 if well(status) else 1


def well(status: Mapping[str, Any]) -> bool:
    """True if every component works and no part has ended."""
    components = status.get("components", {}).values()
    # Unknown components of a newer daemon count as well.
    return all(component.get("reason", OK) == OK for component in components) and not status.get("lost")


def readable(status: Mapping[str, Any], say: Callable[..., str] = str) -> Iterator[str]:
    """A headline, then one line for each entry, the most important first; unknown entries as JSON.

    `say`: a message in the user's language.
    """
    yield say("all is well" if well(status) else "something has failed")
    # The known lines first in their order, then whatever a newer daemon adds.
    for name, value in {**dict.fromkeys(_LINES), **status}.items():
        line = _LINES.get(name, _plain)(value) if value is not None else None
        if line:
            yield f"{say(name.removesuffix('_s').replace('_', ' '))}: {line}"


def _plain(value: Any) -> str | None:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _components(value: Mapping[str, Mapping[str, Any]]) -> str:
    """`camera ok, loudspeaker lost for 12 s (no device)`."""
    return ", ".join(f"{name} {_component(component)}" for name, component in value.items())


def _component(component: Mapping[str, Any]) -> str:
    reason = str(component.get("reason", OK))
    if reason == OK:
        return OK
    detail = f" ({component['detail']})" if component.get("detail") else ""
    return f"{reason} for {_duration(component.get('since_s', 0.0))}{detail}"


def _duration(seconds: float) -> str:
    """`12 s`, `3 min 4 s`, `5 h 6 min`, `2 d 3 h`."""
    minutes, s = divmod(int(seconds), 60)
    hours, m = divmod(minutes, 60)
    days, h = divmod(hours, 24)
    if days:
        return f"{days} d {h} h"
    if hours:
        return f"{h} h {m} min"
    return f"{m} min {s} s" if minutes else f"{s} s"


def _muted(seconds: float) -> str | None:
    return f"for {_duration(seconds)}" if seconds > 0 else None


def _names(value: list[str]) -> str | None:
    return ", ".join(value) or None


def _ages(value: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {age:.1f} s ago" for name, age in value.items())


def _counts(value: Mapping[str, Any]) -> str | None:
    return ", ".join(f"{name} {count}" for name, count in value.items()) or None


def _journal(value: Mapping[str, Any]) -> str:
    """`ok` or the disk's error, the numbers of lost events and pictures, and journals that were set aside."""
    lost = {"events": value.get("dropped", 0), "pictures": value.get("pictures_missed", 0)}
    parts = [f"{count} {name} lost" for name, count in lost.items() if count]
    parts += [
        f"an unreadable one is kept in {folder} (see `check`)" for folder in value.get("kept_apart", ())
    ]
    return ", ".join([str(value.get("disk", OK)), *parts])


def _unrecognised(value: list[str]) -> str | None:
    """`scooter (the model does not know it by words: ...)`."""
    cure = "the model cannot recognise it by its words; teach it with pictures: `watchword teach"
    return "; ".join(f"{name} ({cure} {name} FOLDER`)" for name in value) or None


def _dangers(value: list[Mapping[str, Any]]) -> str | None:
    """`vehicle (critical, left)`."""
    known = ((one["hazard"], filter(None, (one["severity"], one["direction"]))) for one in value)
    return ", ".join(f"{hazard} ({', '.join(what)})" for hazard, what in known) or None


def _turned_down(value: Mapping[str, str]) -> str | None:
    """`NAME (too slow here: 5.1 frames/s, 8 are needed)`."""
    return ", ".join(f"{name} ({reason})" for name, reason in value.items()) or None


def _latency(value: Mapping[str, Mapping[str, float]]) -> str | None:
    """`assess 31/45/60 ms, ...`: the 50th, 95th and 99th percentiles."""
    parts = [
        f"{name.replace('_', ' ')} {one['p50_ms']:.0f}/{one['p95_ms']:.0f}/{one['p99_ms']:.0f} ms"
        for name, one in value.items()
    ]
    return f"{', '.join(parts)} (p50/p95/p99)" if parts else None


_LINES: Mapping[str, Callable[[Any], str | None]] = {
    "components": _components,
    "lost": _names,
    "unrecognised": _unrecognised,
    "dangers": _dangers,
    "muted_s": _muted,
    "danger_muted_s": _muted,
    "source": _plain,
    "model": _plain,
    "model_note": lambda value: value or None,
    "models_turned_down": _turned_down,
    "fps": lambda value: f"{value:.1f}",
    "skipped": _plain,
    "passed_over": lambda value: str(value) if value else None,
    "left_out": lambda value: str(value) if value else None,
    "uptime_s": _duration,
    "heartbeats": _ages,
    "journal": _journal,
    "instance": lambda value: value or None,
    "latency": _latency,
    "counts": _counts,
    "active": lambda _: None,
    "first_assessed_at_s": lambda _: None,
}
