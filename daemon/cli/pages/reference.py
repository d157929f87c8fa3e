"""The commands and options of `watchword` as data, read from the parsers that print the help.

The man page and the shell completions are generated from it, so that they agree with the help.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from daemon.cli.main import COMMANDS, GROUPS
from daemon.cli.parser import build_parser, load_subcommand
from daemon.config.schema import ENTRY, dotted
from daemon.config.settings import SCHEMA

FOR_FILES = ("capture.source", "source", "manifest", "pictures", "unlike", "calibrate", "file")
"""Names of arguments that may be a file although their type does not say so."""


@dataclass(frozen=True, slots=True)
class Argument:
    """An option with its flags, or a positional argument without flags."""

    flags: tuple[str, ...]
    metavar: str
    """Empty for a switch."""
    help: str
    choices: tuple[str, ...]
    takes_file: bool
    optional: bool
    repeated: bool

    @property
    def takes_value(self) -> bool:
        return bool(self.metavar)

    @property
    def takes_setting_name(self) -> bool:
        return self.metavar.upper() == "KEY"

    @property
    def completes(self) -> bool:
        """True if its values can be completed: they are known, or files."""
        return bool(self.choices) or self.takes_file


@dataclass(frozen=True, slots=True)
class CommandReference:
    """A command, or a verb of one such as `models pull`."""

    name: str
    help: str
    options: tuple[Argument, ...]
    """Its own, without those of every command."""
    positionals: tuple[Argument, ...]
    verbs: tuple[CommandReference, ...]


@dataclass(frozen=True, slots=True)
class CommandLineReference:
    """The whole command line."""

    description: str
    options: tuple[Argument, ...]
    """Those of every command."""
    commands: tuple[CommandReference, ...]
    groups: tuple[tuple[str, tuple[str, ...]], ...]
    """Names of commands by heading."""

    def each(self) -> Iterator[tuple[str, CommandReference]]:
        """Yield every command and verb with the words that select it."""
        for command in self.commands:
            yield command.name, command
            for verb in command.verbs:
                yield f"{command.name} {verb.name}", verb

    def command(self, name: str) -> CommandReference:
        return next(one for one in self.commands if one.name == name)


@cache
def read_reference() -> CommandLineReference:
    """Read all parsers. Imports the module of every command, which takes seconds."""
    parser = build_parser(COMMANDS, GROUPS)
    common = tuple(_arguments(parser, of_options=True))
    known = {flag for option in common for flag in option.flags}
    (choices,) = _verbs_of(parser)
    commands = tuple(
        _command(name, COMMANDS[name].help, load_subcommand(one), known)
        for name, one in choices.choices.items()
    )
    groups = tuple((title, tuple(names)) for title, names in GROUPS.items())
    return CommandLineReference(parser.description or "", common, commands, groups)


def _command(name: str, summary: str, parser: argparse.ArgumentParser, common: set[str]) -> CommandReference:
    own = tuple(one for one in _arguments(parser, of_options=True) if not common & set(one.flags))
    verbs = tuple(
        _command(choice.dest, choice.help or "", action.choices[choice.dest], common)
        for action in _verbs_of(parser)
        for choice in action._choices_actions
    )
    return CommandReference(name, summary, own, tuple(_arguments(parser, of_options=False)), verbs)


def _verbs_of(
    parser: argparse.ArgumentParser,
) -> Sequence[argparse._SubParsersAction[argparse.ArgumentParser]]:
    return [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]


def _arguments(parser: argparse.ArgumentParser, *, of_options: bool) -> Iterator[Argument]:
    for action in parser._actions:
        shown = action.help != argparse.SUPPRESS and not isinstance(action, argparse._SubParsersAction)
        if shown and bool(action.option_strings) == of_options:
            yield _argument(action)


def _argument(action: argparse.Action) -> Argument:
    choices = tuple(str(choice) for choice in action.choices or ())
    if action.nargs == 0:
        metavar = ""
    elif action.metavar is None and choices:
        metavar = "|".join(choices)
    else:
        metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    return Argument(
        flags=tuple(action.option_strings),
        metavar=metavar,
        help=(action.help or "") % {"default": action.default},
        choices=choices,
        takes_file=action.type is Path or action.dest in FOR_FILES or metavar == "FILE",
        optional=action.nargs in ("?", "*") or bool(action.option_strings),
        repeated=action.nargs in ("*", "+"),
    )


def setting_keys() -> tuple[str, ...]:
    """Every setting's dotted name; those of the user's own entries are left out."""
    return tuple(dotted(path) for path in SCHEMA.leaves() if ENTRY not in path)
