"""The man page of `watchword`, in man(7)'s macros."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from daemon.cli.pages.reference import Argument, CommandLineReference, CommandReference

_DESCRIPTION = """\
Watchword watches through a wearable or fixed camera and says aloud what is dangerous: a vehicle, fire,
stairs, a knife, a hole in the ground. It is for people who cannot see the danger themselves. It runs on one
small computer, without a network and a graphics card, and speaks English and Korean.

It is an aid, not a certified safety device: it misses dangers, and it warns of some that are not there.
"""
_SETTINGS = """\
Settings come from layers, the later ones stronger: defaults, the configuration file, what was changed by
`watchword config set` or over the page, environment variables, options. `watchword config show` tells the
layer of each.
"""
_EXIT = (
    ("0", "fine"),
    ("1", "failed"),
    ("2", "wrong usage"),
    ("78", "a mistake in the settings; the message names file, line and key"),
    ("130", "interrupted by Ctrl-C"),
)
_ENVIRONMENT = (
    ("WATCHWORD_CONFIG", "the configuration file, if --config names none"),
    ("WATCHWORD_SECTION__KEY", "a setting, such as WATCHWORD_SPEECH__RATE_WPM=220"),
    ("NO_COLOR", "if it is set and not empty, nothing is coloured"),
)
_FILES = (
    ("./config.toml", "the configuration of a checkout"),
    ("~/.config/watchword/config.toml", "of a user"),
    ("/etc/watchword/config.toml", "of the system service"),
    ("~/.local/state/watchword, /var/lib/watchword", "calibrations, taught hazards, journal, overrides"),
    ("~/.local/share/watchword/models, /var/lib/watchword/models", "models"),
)
_SIGNALS = (
    ("SIGHUP", "of `run`: read the settings again, and open the file of --events anew"),
    ("SIGINT, SIGTERM", "stop"),
)
_EXAMPLES = (
    ("watchword run --source demo --once", "one pass over the demo clip, spoken aloud and printed"),
    ("watchword check", "what works on this machine, and what to do about the rest"),
    ("watchword config set speech.rate_wpm 200", "speak faster from the next start on"),
    ("watchword replay walk.mp4 --events walk.jsonl", "the decisions on a recording, one JSON a line"),
)


def render(reference: CommandLineReference) -> str:
    """The page."""
    return "\n".join(_man_lines(reference)) + "\n"


def _man_lines(reference: CommandLineReference) -> Iterator[str]:
    yield '.\\" Written by script/command_pages from the parsers of the command line.'
    yield '.TH WATCHWORD 1 "" "Watchword" "User Commands"'
    yield from (".SH NAME", "watchword \\- sees hazards through a camera and says them aloud")
    yield from (".SH SYNOPSIS", ".B watchword", "[\\fIOPTION\\fR ...] \\fICOMMAND\\fR ...")
    yield ".SH DESCRIPTION"
    yield from _paragraphs(_DESCRIPTION)
    yield ".SH OPTIONS"
    yield "They may stand before or after the command."
    yield from _options(reference.options)
    yield ".SH COMMANDS"
    for title, names in reference.groups:
        yield f".SS {_text(title)}"
        for name in names:
            yield from _command(f"watchword {name}", reference.command(name))
    yield ".SH SETTINGS"
    yield from _paragraphs(_SETTINGS)
    for title, entries in (
        ("EXIT STATUS", _EXIT),
        ("ENVIRONMENT", _ENVIRONMENT),
        ("FILES", _FILES),
        ("SIGNALS", _SIGNALS),
        ("EXAMPLES", _EXAMPLES),
    ):
        yield f".SH {title}"
        for term, meaning in entries:
            yield from (".TP", f".B {_text(term)}", _text(meaning))
    yield from (".SH SEE ALSO", ".BR systemctl (1),", ".BR journalctl (1)")


def _command(name: str, command: CommandReference) -> Iterator[str]:
    usage = " ".join(_usage(one) for one in command.positionals)
    verb = " \\fIACTION\\fR ..." if command.verbs else ""
    yield from (".TP", f"\\fB{_text(name)}\\fR {usage}{verb}".rstrip())
    yield _text(f"{command.help[:1].upper()}{command.help[1:]}.")
    if described := [one for one in command.positionals if one.help]:
        yield from _nested(_options(described))
    yield from _nested(_options(command.options))
    for one in command.verbs:
        yield from _nested(_command(f"{name} {one.name}", one))


def _nested(lines: Iterator[str]) -> Iterator[str]:
    inner = list(lines)
    if inner:
        yield from (".RS", *inner, ".RE")


def _options(options: Iterable[Argument]) -> Iterator[str]:
    for option in options:
        yield ".TP"
        yield _flags(option) if option.flags else f"\\fI{_text(option.metavar)}\\fR"
        yield _text(option.help)


def _flags(option: Argument) -> str:
    value = f" \\fI{_text(option.metavar)}\\fR" if option.takes_value else ""
    return ", ".join(f"\\fB{_text(flag)}\\fR" for flag in option.flags) + value


def _usage(argument: Argument) -> str:
    name = f"\\fI{_text(argument.metavar)}\\fR"
    many = " ..." if argument.repeated else ""
    return f"[{name}{many}]" if argument.optional else f"{name}{many}"


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(text.strip().split("\n\n")):
        if number:
            yield ".PP"
        yield from (_text(line) for line in textwrap.wrap(paragraph, 100))


def _text(text: str) -> str:
    """Escaped for roff; a line must not begin with a control character."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga").replace("~", "\\(ti")
    return f"\\&{escaped}" if escaped[:1] in ".'" else escaped
