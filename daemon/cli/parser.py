"""The parser of `watchword`: grouped help, options common to all commands, and hints for typing mistakes."""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn, Protocol

USAGE = 2
RENAMED = {"desk": "web", "start": "run", "watch": "run", "speak": "say", "doctor": "check", "help": "--help"}
"""Commands by a name they once had, or that other programs give them; for the hint only."""
SYNONYMS = {
    **dict.fromkeys(("fetch", "download", "install", "add"), "pull"),
    "delete": "remove",
    "forget": "purge",
    "change": "set",
}
"""Words for the choices of a command, for the hint only."""
_WIDTH = 14
"""Columns of a command's name in the help."""


class CommandInfo(Protocol):
    """The parts of a command that the parser reads."""

    @property
    def help(self) -> str:
        """One line."""
        ...

    @property
    def module(self) -> str:
        """Imported when the command is chosen; offers `configure`."""
        ...


class Written(str):
    """A value as written behind `-o`; its type depends on the setting."""

    __slots__ = ()


class _Parser(argparse.ArgumentParser):
    """A parser that names the nearest known word or option in its errors."""

    commands: Mapping[str, CommandInfo] = {}
    groups: Mapping[str, Sequence[str]] = {}

    def error(self, message: str) -> NoReturn:
        # No command at all: the overview helps more than an error.
        if message == "the following arguments are required: COMMAND":
            self.print_help()
            self.exit(USAGE)
        # argparse offers no hook for an unknown choice: its message is the only place with the word.
        if match := re.search(r"argument COMMAND: invalid choice: '([^']*)'", message):
            near = RENAMED.get(match[1]) or _nearest(match[1], self.commands)
            hint = f'did you mean "watchword {near}"?' if near else "`watchword --help` lists them"
            if match[1] == "stop":
                hint = "end `watchword run` with Ctrl-C, a service with `systemctl stop watchword`"
            self.exit(USAGE, f'watchword: there is no command "{match[1]}"; {hint}\n')
        super().error(message)

    def format_help(self) -> str:
        """The commands grouped by purpose; argparse would list them in one column."""
        formatter = self._get_formatter()
        formatter.add_text(self.description)
        lines = [f"usage: {self.prog} [OPTION ...] COMMAND ...", "", formatter.format_help().rstrip()]
        for title, names in self.groups.items():
            lines += ["", f"{title}:", *(f"    {name:{_WIDTH}} {self.commands[name].help}" for name in names)]
        formatter = self._get_formatter()
        formatter.start_section("Options of every command")
        # Private, but argparse has no public way to print only the options.
        formatter.add_arguments(self._optionals._group_actions)
        formatter.end_section()
        formatter.add_text(self.epilog)
        return "\n".join([*lines, "", formatter.format_help()])


class _LazyParser(argparse.ArgumentParser):
    """A subcommand's parser that gets its options when it is used, not before."""

    command: CommandInfo | None = None

    def load(self) -> None:
        """Import the command's module and let it add its options, once."""
        if self.command is None:
            return
        # Imported here and not for every command: `--help` stays below a tenth of a second.
        module = import_module(self.command.module)
        module.configure(self)
        self.set_defaults(module=module)
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                for subparser in action.choices.values():
                    _add_common(subparser)
        # Once: argparse may call this again for the same parser.
        self.command = None

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        self.load()
        found, rest = super().parse_known_args(args, namespace)
        # Here and not in the outer parser, which does not know this one's options.
        if rest and rest[0].startswith("-"):
            name = rest[0].partition("=")[0]
            near = _nearest(name, self._option_string_actions)
            hint = f"did you mean {near}?" if near else f"`{self.prog} --help` lists them"
            self.error(f"there is no option {name}; {hint}")
        if rest:
            from common.redact import redact

            shown = redact(rest[0])
            # A camera is named by an option, since `run` alone takes the one in the settings.
            source = "--source" in self._option_string_actions
            hint = f"write --source {shown}" if source else f"`{self.prog} --help` tells what it takes"
            self.error(f'"{shown}" is too many; {hint}')
        return found, rest

    def error(self, message: str) -> NoReturn:
        # As above, for the choices of a subcommand.
        if match := re.match(r"argument (\w+): invalid choice: '([^']*)' \(choose from (.*)\)$", message):
            choices = [choice.strip("'") for choice in match[3].split(", ")]
            meant = SYNONYMS.get(match[2])
            near = meant if meant in choices else _nearest(match[2], choices)
            if near:
                message = f'{match[1]} "{match[2]}" is unknown; did you mean {near}?'
        super().error(message)


def _nearest(word: str, known: Sequence[str] | Mapping[str, Any]) -> str | None:
    return next(iter(difflib.get_close_matches(word, list(known), n=1)), None)


def build_parser(
    commands: Mapping[str, CommandInfo], groups: Mapping[str, Sequence[str]]
) -> argparse.ArgumentParser:
    """The parser of all commands; none of their modules is imported yet. `groups`: names by heading."""
    parser = _Parser(
        prog="watchword",
        description="Watches a camera's picture and warns of hazards by speech, on one small computer.",
        epilog="`watchword COMMAND --help` tells what a command takes.",
    )
    parser.commands, parser.groups = commands, groups
    # The option itself has no default: one after the command would overwrite one before it.
    parser.set_defaults(config=None)
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    _add_common(parser)
    choices = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, parser_class=_LazyParser
    )
    for name, command in commands.items():
        subparser = choices.add_parser(name, help=command.help, description=f"{command.help}.".capitalize())
        subparser.command = command
        _add_common(subparser)
    return parser


def load_subcommand(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The parser of a command with all its options, which otherwise come when the command is chosen."""
    if isinstance(parser, _LazyParser):
        parser.load()
    return parser


def _add_common(parser: argparse.ArgumentParser) -> None:
    """Options that may stand before or after the command; a dest with a dot names a setting."""
    parser.add_argument(
        "--config", metavar="FILE", type=Path, default=argparse.SUPPRESS, help="the configuration to read"
    )
    parser.add_argument(
        "-o",
        dest="setting",
        metavar="KEY=VALUE",
        action=_Setting,
        default=argparse.SUPPRESS,
        help="a setting for this run only, such as -o speech.volume=0.5; may be given several times",
    )
    parser.add_argument(
        "--log-level",
        dest="log.level",
        metavar="LEVEL",
        choices=("debug", "info", "warning", "error"),
        default=argparse.SUPPRESS,
        help="the least that is logged: debug, info, warning or error",
    )
    for short, option, level in (("-v", "--verbose", "debug"), ("-q", "--quiet", "warning")):
        parser.add_argument(
            short,
            option,
            dest="log.level",
            action="store_const",
            const=level,
            default=argparse.SUPPRESS,
            help=f"the same as --log-level {level}",
        )


class _Setting(argparse.Action):
    """Each setting becomes an option of its own, so that those before and after the command add up."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,  # noqa: ARG002 - as argparse calls it
    ) -> None:
        key, equals, value = str(values).partition("=")
        # A setting always has a section, so its key has a dot.
        if not equals or "." not in key.strip("."):
            parser.error(f"-o {values}: write KEY=VALUE, such as speech.volume=0.5")
        setattr(namespace, key.strip(), Written(value))


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        # argparse's own way of ending writes to standard error, where no program looks for an answer.
        sys.stdout.write(f"watchword {version('watchword')}\n")
        parser.exit()
