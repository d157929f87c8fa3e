"""`watchword journal`: show, export, mark or delete recorded events."""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon.cli.korean import speaker
from daemon.cli.remote import connection
from daemon.cli.remote.connection import Load, open_journal
from daemon.control.commands import JournalCommand
from daemon.control.protocol import checked
from daemon.errors import CommandError, UsageError
from daemon.journal.event_words import event_words
from daemon.journal.export import export
from daemon.journal.paging import EditableJournal, JournalSource, pages
from daemon.journal.times import parse_time

if TYPE_CHECKING:
    from daemon.journal.marks import Verdict

LIMIT = 50
PAGE = 100
VERDICTS: Mapping[str, Verdict] = {"right": "true", "wrong": "false", "none": "none"}
"""The words for a verdict, and its name in the journal."""
VERDICT_WORDS = {verdict: word for word, verdict in VERDICTS.items()}

EXPORTED = "{events} events and {pictures} pictures in {to}"
MARKED = "marked as {verdict}; `watchword calibrate FOOTAGE --labelled {file}` learns from it"
FORGET_ALL = "Forget everything in the journal, pictures and black boxes too?"
FORGET_OLDER = "Forget all from before {before}, pictures and black boxes too?"

Words = Callable[..., str]
"""Gives a message in the user's language."""


def configure(parser: argparse.ArgumentParser) -> None:
    _selecting(parser)
    parser.add_argument("--limit", metavar="N", type=_positive, default=LIMIT, help=f"events shown ({LIMIT})")
    parser.add_argument("--json", action="store_true", help="a line of JSON an event, for programs")
    parser.add_argument("--offline", action="store_true", help="read the files, even while the daemon runs")
    connection.configure(parser)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="instead of showing a list")
    show = actions.add_parser("show", help="one event with all that is known of it")
    show.add_argument("row", metavar="ROW", help="its number, as in #123")
    show.add_argument("--picture", metavar="OUT.jpg", type=Path, help="write its picture there")
    mark = actions.add_parser("mark", help="say whether an alert was right, for `calibrate --labelled`")
    mark.add_argument("row", metavar="ROW", help="the alert's number, as in #123")
    mark.add_argument("verdict", choices=tuple(VERDICTS), help="none takes the mark back")
    # Left out if not given, so that it does not overwrite the option before the action.
    mark.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="for programs")
    taken = actions.add_parser("export", help="events and pictures into a file.zip or a folder")
    taken.add_argument("to", metavar="FILE.zip|FOLDER", type=Path)
    _selecting(taken)
    purge = actions.add_parser("purge", help="forget for good")
    what = purge.add_mutually_exclusive_group(required=True)
    what.add_argument("--all", action="store_true", help="everything that was kept")
    what.add_argument("--before", metavar="WHEN", help="what is older: 2d, 2026-11-25")
    purge.add_argument("--yes", action="store_true", help="do not ask")


def _selecting(parser: argparse.ArgumentParser) -> None:
    """Options that may stand before or after the action."""
    # Left out if not given, so that the action's parser does not overwrite what stood before the action.
    unset: Any = argparse.SUPPRESS
    parser.add_argument("--since", metavar="WHEN", default=unset, help="90m, 1h, 2d, or a date and time")
    parser.add_argument("--until", metavar="WHEN", default=unset, help="the same")
    parser.add_argument(
        "--kind", metavar="KIND", action="append", default=unset, help="alert, speak, ...; may be repeated"
    )
    parser.add_argument("--hazard", metavar="NAME", default=unset, help="all that has to do with it")


def execute(args: argparse.Namespace, load: Load) -> int:
    say = speaker(load)
    with open_journal(args, load) as source:
        match args.action:
            case "export":
                events, pictures = export(source, args.to, _wanted(args))
                done = say(EXPORTED, events=events, pictures=pictures, to=args.to)
                sys.stdout.write(f"{done}\n")
            case "purge":
                return _purge(source, args, say)
            case "show":
                return _show(source, args)
            case "mark":
                return _mark(source, args, say)
            case _:
                return _list(source, args, say)
    return 0


def _wanted(args: argparse.Namespace) -> JournalCommand:
    """Raises CommandError with one line for an argument that makes no sense."""
    now_s = time.time()
    asked = {name: getattr(args, name, None) for name in ("since", "until")}
    times = {name: parse_time(text, now_s) for name, text in asked.items() if text is not None}
    wanted: JournalCommand = checked(
        JournalCommand,
        kinds=tuple(getattr(args, "kind", ())),
        hazard=getattr(args, "hazard", None),
        limit=PAGE,
        **times,
    )
    return wanted


def _list(source: JournalSource, args: argparse.Namespace, say: Words) -> int:
    """The newest come last, as in a log."""
    events = list(pages(source, _wanted(args), args.limit))
    # The reader gives the newest first, so that a limit keeps the newest.
    for event in reversed(events):
        sys.stdout.write(f"{json.dumps(event, ensure_ascii=False) if args.json else line(event, say)}\n")
    if not events and not args.json:
        sys.stdout.write(f"{say('nothing like that was kept')}\n")
    return 0


def _show(source: JournalSource, args: argparse.Namespace) -> int:
    row = _row(args.row)
    # There is no question for one row: the newest event before the next row is that row, if it exists.
    found = source.page(JournalCommand(before=row + 1, limit=1, evidence=True))["events"]
    if not found or found[0]["row"] != row:
        raise CommandError(f"#{row}: not in the journal; `watchword journal` shows what is", "unknown")
    sys.stdout.write(f"{json.dumps(found[0], ensure_ascii=False, indent=2)}\n")
    if args.picture:
        args.picture.write_bytes(source.picture(row)[0])
    return 0


def _row(text: str) -> int:
    # At most 15 digits: SQLite's and JSON's whole numbers end beyond.
    if not (found := re.fullmatch(r"#?([0-9]{1,15})", text)):
        raise UsageError(f"{text}: should be an event's number, as in #123")
    return int(found[1])


def _mark(source: EditableJournal, args: argparse.Namespace, say: Words) -> int:
    row, verdict = _row(args.row), VERDICTS[args.verdict]
    file = source.mark(row, verdict)
    if args.json:
        sys.stdout.write(json.dumps({"row": row, "mark": verdict, "file": file}, ensure_ascii=False) + "\n")
    elif verdict == "none":
        sys.stdout.write(f"#{row}: {say('not marked')}\n")
    else:
        sys.stdout.write(f"#{row}: {say(MARKED, verdict=say(args.verdict), file=file)}\n")
    return 0


def _purge(source: EditableJournal, args: argparse.Namespace, say: Words) -> int:
    before_s = None if args.all else parse_time(args.before, time.time())
    question = say(FORGET_ALL) if before_s is None else say(FORGET_OLDER, before=_clock(before_s))
    if not args.yes and not _agreed(f"{question} [y/N] "):
        sys.stdout.write(f"{say('nothing was forgotten')}\n")
        return 1
    gone = source.purge(before_s)
    parts = ", ".join(say("{count} " + name.replace("_", " "), count=count) for name, count in gone.items())
    sys.stdout.write(f"{say('forgotten: {parts}', parts=parts)}\n")
    return 0


def _agreed(question: str) -> bool:
    # A script must not hang on a question.
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to be asked: --yes forgets without asking")
    sys.stdout.write(question)
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def line(event: Mapping[str, Any], say: Words) -> str:
    """One event for people: `#12  2026-11-25 16:28:14  a1   alert     fire (critical, 0.88)  [picture]`."""
    files = (("picture", "snapshot"), ("black box", "black_box"))
    kept = [say(name) for name, there in files if event[there]]
    if mark := event.get("mark"):
        kept.append(say("marked as {verdict}", verdict=say(VERDICT_WORDS.get(mark, mark))))
    tail = f"  [{', '.join(kept)}]" if kept else ""
    number, id = f"#{event['row']}", event["id"]
    return f"{number:<7} {_clock(event['wall_s'])}  {id:<7} {event['kind']:<11} {event_words(event)}{tail}"


def _clock(wall_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(wall_s))


def _positive(text: str) -> int:
    # Bounded, so that a typing mistake does not read the whole journal into memory.
    if not text.isdecimal() or not 1 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text} is no whole number from 1")
    return int(text)
