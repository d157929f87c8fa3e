"""`watchword status`: the state of the running daemon. Exit code 1 if a component or part has failed."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from daemon.cli.korean import TEXTS, language, text
from daemon.cli.korean_status import daemon_sentence
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
    if args.json:
        printed = json.dumps(status, ensure_ascii=False, indent=2)
    else:
        printed = "\n".join(readable(status, StatusWords(language(load))))
    sys.stdout.write(f"{printed}\n")
    return 0 if well(status) else 1


def well(status: Mapping[str, Any]) -> bool:
    """True if every component works and no part has ended."""
    components = status.get("components", {}).values()
    # Unknown components of a newer daemon count as well.
    return all(component.get("reason", OK) == OK for component in components) and not status.get("lost")


class StatusWords:
    """The words of the entries in a language; codes without a translation stay as they are."""

    def __init__(self, language: str = "en") -> None:
        self._language = language

    def say(self, english: str, **values: object) -> str:
        """A message with its values filled in."""
        return text(english, self._language, **values)

    def code(self, kind: str, code: object) -> str:
        """The word of a code, such as the reason `lost`."""
        return TEXTS.get(f"{kind}.{code}", str(code)) if self._language == "ko" else str(code)

    def label(self, entry: str) -> str:
        """The name of an entry."""
        name = entry.removesuffix("_s").replace("_", " ")
        # Not formatted: a newer daemon may have names of any kind.
        return TEXTS.get(name, name) if self._language == "ko" else name

    def sentence(self, english: str) -> str:
        """A sentence of the daemon; one that has no translation, such as an error, as it is."""
        return daemon_sentence(english) if self._language == "ko" else english

    def duration(self, seconds: float) -> str:
        """`12 s`, `3 min 4 s`, `5 h 6 min`, `2 d 3 h`."""
        minutes, s = divmod(int(seconds), 60)
        hours, m = divmod(minutes, 60)
        days, h = divmod(hours, 24)
        if days:
            return self.say("{d} d {h} h", d=days, h=h)
        if hours:
            return self.say("{h} h {m} min", h=hours, m=m)
        return self.say("{m} min {s} s", m=minutes, s=s) if minutes else self.say("{s} s", s=s)


EntryText = Callable[[Any, StatusWords], str | None]
"""An entry's value in words; None if it is not worth a line."""


def readable(status: Mapping[str, Any], words: StatusWords | None = None) -> Iterator[str]:
    """A headline, then one line for each entry, the most important first; unknown entries as JSON."""
    words = words or StatusWords()
    yield words.say("all is well" if well(status) else "something has failed")
    # The known lines first in their order, then whatever a newer daemon adds.
    for name, value in {**dict.fromkeys(_LINES), **status}.items():
        line = _LINES.get(name, _plain)(value, words) if value is not None else None
        if line:
            yield f"{words.label(name)}: {line}"


def _plain(value: Any, _: StatusWords) -> str | None:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _components(value: Mapping[str, Mapping[str, Any]], words: StatusWords) -> str:
    """`camera ok, loudspeaker lost for 12 s (no device)`."""
    return ", ".join(
        f"{words.code('component', name)} {_component(component, words)}" for name, component in value.items()
    )


def _component(component: Mapping[str, Any], words: StatusWords) -> str:
    code, detail = str(component.get("reason", OK)), str(component.get("detail") or "")
    reason = words.code("reason", code)
    if code == OK:
        return reason
    time = words.duration(component.get("since_s", 0.0))
    if not detail:
        return words.say("{reason} for {time}", reason=reason, time=time)
    # The details of a picture are reasons too; others are the words of a device or a library.
    told = ", ".join(words.code("reason", part) for part in detail.split(", "))
    return words.say("{reason} for {time} ({detail})", reason=reason, time=time, detail=told)


def _muted(seconds: float, words: StatusWords) -> str | None:
    return words.say("for {time}", time=words.duration(seconds)) if seconds > 0 else None


def _names(value: list[str], _: StatusWords) -> str | None:
    return ", ".join(value) or None


def _ages(value: Mapping[str, float], words: StatusWords) -> str:
    return ", ".join(
        words.say("{name} {age} s ago", name=name, age=f"{age:.1f}") for name, age in value.items()
    )


def _counts(value: Mapping[str, Any], _: StatusWords) -> str | None:
    return ", ".join(f"{name} {count}" for name, count in value.items()) or None


def _journal(value: Mapping[str, Any], words: StatusWords) -> str:
    """`ok` or the disk's error, the numbers of lost events and pictures, and journals that were set aside."""
    lost = {
        "{count} events lost": value.get("dropped", 0),
        "{count} pictures lost": value.get("pictures_missed", 0),
    }
    parts = [words.say(message, count=count) for message, count in lost.items() if count]
    parts += [
        words.say("an unreadable one is kept in {folder} (see `check`)", folder=folder)
        for folder in value.get("kept_apart", ())
    ]
    return ", ".join([words.code("reason", value.get("disk", OK)), *parts])


def _unrecognised(value: list[str], words: StatusWords) -> str | None:
    """`scooter (the model does not know it by words: ...)`."""
    message = (
        "{name} (the model cannot recognise it by its words; teach it with pictures: "
        "`watchword teach {name} FOLDER`)"
    )
    return "; ".join(words.say(message, name=name) for name in value) or None


def _dangers(value: list[Mapping[str, Any]], words: StatusWords) -> str | None:
    """`vehicle (critical, left)`."""
    known = []
    for one in value:
        told = [words.code("severity", one["severity"])]
        told += [words.code("where", one["direction"])] if one["direction"] else []
        known.append(f"{one['hazard']} ({', '.join(told)})")
    return ", ".join(known) or None


def _turned_down(value: Mapping[str, str], words: StatusWords) -> str | None:
    """`NAME (too slow here: 5.1 frames/s, 8 are needed)`."""
    return ", ".join(f"{name} ({words.sentence(reason)})" for name, reason in value.items()) or None


def _latency(value: Mapping[str, Mapping[str, float]], words: StatusWords) -> str | None:
    """`assess 31/45/60 ms, ...`: the 50th, 95th and 99th percentiles."""
    parts = [
        f"{words.code('stage', name).replace('_', ' ')} "
        f"{one['p50_ms']:.0f}/{one['p95_ms']:.0f}/{one['p99_ms']:.0f} ms"
        for name, one in value.items()
    ]
    return words.say("{stages} (p50/p95/p99)", stages=", ".join(parts)) if parts else None


def _describer(value: str, words: StatusWords) -> str:
    """`MODEL: ready (REASON)`."""
    model, colon, state = value.partition(": ")
    phase, _, reason = state.partition(" ")
    return f"{model}{colon}{words.code('phase', phase)}{' ' if reason else ''}{reason}"


_LINES: Mapping[str, EntryText] = {
    "components": _components,
    "lost": _names,
    "unrecognised": _unrecognised,
    "dangers": _dangers,
    "muted_s": _muted,
    "danger_muted_s": _muted,
    "source": _plain,
    "model": _plain,
    "model_note": lambda value, words: words.sentence(value) or None,
    "models_turned_down": _turned_down,
    "fps": lambda value, _: f"{value:.1f}",
    "skipped": _plain,
    "passed_over": lambda value, _: str(value) if value else None,
    "left_out": lambda value, _: str(value) if value else None,
    "uptime_s": lambda value, words: words.duration(value),
    "heartbeats": _ages,
    "journal": _journal,
    "instance": lambda value, _: value or None,
    "latency": _latency,
    "counts": _counts,
    "active": lambda _value, _words: None,
    "first_assessed_at_s": lambda _value, _words: None,
    "describer": _describer,
    "camera": lambda value, words: words.code("camera", value),
    "outlet": lambda value, words: words.code("outlet", value),
    "keys": lambda value, words: words.sentence(value),
}
