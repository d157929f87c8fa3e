"""Writes the zsh completion of `watchword`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from daemon.cli.pages.reference import Argument, CommandLineReference, CommandReference, setting_keys

_ZSH = """\
#compdef watchword
# Completion of `watchword` for zsh, written by `watchword completion zsh`;
# put it into a folder of $fpath as _watchword.

_watchword() {{
    local context state state_descr line ret=1
    typeset -A opt_args
    local -a common=(
{common}
    )
    _arguments -C $common '1:command:_watchword_commands' '*::argument:->command' && ret=0
    [[ $state == command ]] && _watchword_command $line[1] && ret=0
    return ret
}}

_watchword_commands() {{
    local -a commands=(
{commands}
    )
    _describe -t commands command commands
}}

_watchword_settings() {{
    local -a keys=({settings})
    compadd $@ -a keys
}}

_watchword_setting() {{
    if compset -P '*='; then _message value; else _watchword_settings -S =; fi
}}

_watchword_command() {{
    case $1 in
{cases}
    esac
}}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _watchword "$@"; else compdef _watchword watchword; fi
"""


def render(reference: CommandLineReference) -> str:
    """The text of the completion script."""
    return _ZSH.format(
        common=_lines(8, (spec for option in reference.options for spec in _option(option))),
        commands=_lines(8, (_described(one) for one in reference.commands)),
        settings=" ".join(setting_keys()),
        cases="\n".join(_case(command, 8) for command in reference.commands),
    )


def _case(command: CommandReference, indent: int) -> str:
    options = [spec for option in command.options for spec in _option(option)]
    if command.verbs:
        names = ", ".join(verb.name for verb in command.verbs)
        tail = [
            "'1:action:((" + " ".join(_choice(verb) for verb in command.verbs) + "))'",
            "'*::argument:->verb'",
        ]
        return "\n".join(
            [
                f"{' ' * indent}{command.name}) # {names}",
                f"{' ' * indent}    local state line; typeset -A opt_args",
                f"{' ' * indent}    _arguments -C $common \\",
                " \\\n".join(f"{' ' * (indent + 8)}{one}" for one in [*options, *tail]) + " && return",
                f"{' ' * indent}    case $line[1] in",
                *(_case(verb, indent + 8) for verb in command.verbs),
                f"{' ' * indent}    esac ;;",
            ]
        )
    specs = [*options, *(_positional(one) for one in command.positionals)]
    joined = "".join(f" \\\n{' ' * (indent + 8)}{one}" for one in specs)
    return f"{' ' * indent}{command.name})\n{' ' * indent}    _arguments $common{joined} ;;"


def _option(option: Argument) -> Iterator[str]:
    value = f":{_plain(option.metavar)}:{_action(option)}" if option.takes_value else ""
    for flag in option.flags:
        glue = "=" if value and flag.startswith("--") else ""
        repeat = "*" if flag == "-o" else ""
        yield shlex.quote(f"{repeat}{flag}{glue}[{_plain(option.help)}]{value}")


def _positional(argument: Argument) -> str:
    many = "*" if argument.repeated else ""
    colons = "::" if argument.optional and not argument.repeated else ":"
    return shlex.quote(f"{many}{colons}{_plain(argument.metavar)}:{_action(argument)}")


def _action(argument: Argument) -> str:
    if argument.choices:
        return f"({' '.join(argument.choices)})"
    if argument.takes_setting_name:
        return "_watchword_settings"
    if argument.flags == ("-o",):
        return "_watchword_setting"
    return "_files" if argument.takes_file else " "


def _plain(text: str) -> str:
    """Replace the characters that have a meaning for `_arguments`."""
    return text.replace("[", "(").replace("]", ")").replace(":", " -").replace("'", "’")


def _described(command: CommandReference) -> str:
    return shlex.quote(f"{command.name}:{_plain(command.help)}")


def _choice(verb: CommandReference) -> str:
    words = _plain(verb.help)
    for sign in '\\ ();"`$':
        words = words.replace(sign, f"\\{sign}")
    return f"{verb.name}\\:{words}"


def _lines(indent: int, lines: Iterator[str]) -> str:
    return "\n".join(f"{' ' * indent}{line}" for line in lines)
