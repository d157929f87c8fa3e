"""The commands that only talk to the running daemon, one entry each.

`watchword ask`, `hush`, `louder` and their like send a command and print its result in a line or two.
This table is read by `--help`: nothing heavy is imported before a command is carried out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from daemon.cli.remote.connection import Load

Arguments = Callable[[argparse.ArgumentParser], object]
Fields = Callable[[argparse.Namespace], Mapping[str, Any]]
Say = Callable[..., str]
"""A message in the user's language, with its values by name; see `daemon/cli/korean.py`."""
Lines = Callable[[argparse.Namespace, Mapping[str, Any], Say], Iterable[str]]


@dataclass(frozen=True, slots=True)
class RemoteCommand:
    """A command of the daemon as a command of the shell; `daemon/control/commands.py` defines its fields."""

    help: str
    arguments: Arguments = lambda _: None
    """Adds the options to its parser."""
    fields: Fields = lambda _: {}
    """The command's fields from the options."""
    lines: Lines = lambda _args, _result, _say: ()
    """The lines that are printed of the result."""


def _text(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", nargs="*", metavar="TEXT", help="the question; without one, a description")


def _duration(written: str) -> float:
    try:
        minutes = float(written)
    except ValueError:
        minutes = -1.0
    # Also false for "nan", which JSON cannot hold.
    if not 0 <= minutes < float("inf"):
        raise argparse.ArgumentTypeError(f'"{written}" should be a number of minutes; 0 ends it')
    return minutes


def _minutes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("minutes", type=_duration, metavar="MINUTES", help="for how long; 0 ends it")


def _kinds(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="only these, such as alert or speak")


def _muted(args: argparse.Namespace, _: Mapping[str, Any], say: Say) -> Iterable[str]:
    if args.minutes > 0:
        quiet = "quiet for {minutes} min; danger is still said unless you ask again now"
        yield say(quiet, minutes=f"{args.minutes:g}")
    else:
        yield say("speaking again")


def _answered(_args: argparse.Namespace, _result: Mapping[str, Any], say: Say) -> Iterable[str]:
    yield say("the answer is spoken")


def _hushed(_args: argparse.Namespace, _result: Mapping[str, Any], say: Say) -> Iterable[str]:
    yield say("silent")


def _reloaded(_: argparse.Namespace, result: Mapping[str, Any], say: Say) -> Iterable[str]:
    yield say("changed: {names}", names=", ".join(result.get("changed", [])) or say("nothing"))
    if waiting := result.get("needs_restart", []):
        yield say("needs a restart: {names}", names=", ".join(waiting))
    for name in result.get("unrecognised", []):
        yield say(
            "hazards.{name}: the model cannot recognise it by its words; "
            "teach it with pictures: `watchword teach {name} FOLDER`",
            name=name,
        )


def _volume(_: argparse.Namespace, result: Mapping[str, Any], say: Say) -> Iterable[str]:
    if "volume" in result:
        yield say("volume {percent}%", percent=round(100 * result["volume"]))


def _rate(_: argparse.Namespace, result: Mapping[str, Any], say: Say) -> Iterable[str]:
    if "rate_wpm" in result:
        yield say("{rate} words a minute", rate=result["rate_wpm"])


REMOTE: Mapping[str, RemoteCommand] = {
    "ask": RemoteCommand(
        "have the view described, or a question about it answered",
        arguments=_text,
        fields=lambda args: {"question": " ".join(args.text)},
        lines=_answered,
    ),
    "hush": RemoteCommand("end what is being said; danger is still said", lines=_hushed),
    "repeat": RemoteCommand("say the last thing again"),
    "describe": RemoteCommand("have the view described", lines=_answered),
    "read": RemoteCommand("have the words in view read aloud", lines=_answered),
    "louder": RemoteCommand("a step louder, for good", lines=_volume),
    "softer": RemoteCommand("a step softer, for good", lines=_volume),
    "faster": RemoteCommand("a step faster, for good", lines=_rate),
    "slower": RemoteCommand("a step slower, for good", lines=_rate),
    "false-alarm": RemoteCommand("the last warning was wrong"),
    "mute": RemoteCommand(
        "no descriptions for some minutes",
        arguments=_minutes,
        fields=lambda args: {"seconds": args.minutes * 60},
        lines=_muted,
    ),
    "events": RemoteCommand("what happens, as it happens", arguments=_kinds),
    "reload": RemoteCommand("have the daemon read its settings again", lines=_reloaded),
}
"""By name; a hyphen stands for the underscore of the command's name on the wire."""


def configure(parser: argparse.ArgumentParser) -> None:
    from daemon.cli.remote import connection

    # "watchword ask": one module serves all of these commands, and the parser's name tells which.
    name = parser.prog.rpartition(" ")[2]
    REMOTE[name].arguments(parser)
    connection.configure(parser)


def execute(args: argparse.Namespace, load: Load) -> int:
    """Raises CommandError, ConfigError."""
    from daemon.cli.korean import speaker
    from daemon.cli.remote.connection import send
    from daemon.control.commands import COMMANDS
    from daemon.control.protocol import checked

    if args.command == "events":
        return _follow(args, load)
    remote = REMOTE[args.command]
    # Shell commands use a hyphen where the wire has an underscore.
    result = send(args, load, checked(COMMANDS[args.command.replace("-", "_")], **remote.fields(args)))
    sys.stdout.writelines(f"{line}\n" for line in remote.lines(args, result, speaker(load)))
    return 0


def _follow(args: argparse.Namespace, load: Load) -> int:
    """Print each event as a line of JSON until the daemon ends. Raises CommandError."""
    from daemon.cli.remote.connection import connect
    from daemon.errors import CommandError

    with connect(args, load) as client:
        for line in client.events(args.kinds):
            sys.stdout.write(f"{line}\n")
            # Each event is of interest now, also to a program that reads from a pipe.
            sys.stdout.flush()
    # An error: a program that follows the events must notice that they have ended.
    raise CommandError("watchword has stopped")
