"""`watchword completion bash|zsh`: prints the script by which a shell completes words of `watchword`."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from daemon.config.schema import ENTRY, dotted

if TYPE_CHECKING:
    from daemon.cli.reference import Argument, CommandReference, Reference

_USE = {
    "bash": "put it into ~/.local/share/bash-completion/completions/watchword",
    "zsh": "put it into a folder of $fpath as _watchword",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """The argument of the command."""
    parser.add_argument("shell", choices=tuple(_USE), help="the shell that shall complete")


def execute(args: argparse.Namespace, _: Callable[[], object]) -> int:
    """Print the script."""
    sys.stdout.write(render(args.shell))
    return 0


def render(shell: str) -> str:
    """The script for `bash` or `zsh`."""
    from daemon.cli.reference import read_reference

    return {"bash": _bash, "zsh": _zsh}[shell](read_reference())


def setting_keys() -> tuple[str, ...]:
    """Every setting's dotted name; those of the user's own entries are left out."""
    from daemon.config.settings import SCHEMA

    return tuple(dotted(path) for path in SCHEMA.leaves() if ENTRY not in path)


def _each(reference: Reference) -> Iterator[tuple[str, CommandReference]]:
    """Every command and verb by the words that choose it."""
    for command in reference.commands:
        yield command.name, command
        for verb in command.verbs:
            yield f"{command.name} {verb.name}", verb


_BASH = """\
# Completion of `watchword` for bash, written by `watchword completion bash`;
# {use}.
_watchword() {{
    local words=("${{COMP_WORDS[@]:0:COMP_CWORD}}") current=${{COMP_WORDS[COMP_CWORD]}}
    local chosen='' verb='' before='' value='' word options
    # An equals sign is a word of its own to bash: "-o speech.volume=" is three words.
    [[ $current == = ]] && current=''
    for word in "${{words[@]:1}}"; do
        if [[ $word == = ]]; then value=${{value:-glued}}; continue; fi
        if [[ -n $value ]]; then value='' before=''; continue; fi
        before=$word
        if _watchword_takes_value "$chosen" "$word"; then value=yes; continue; fi
        [[ $word == -* ]] && continue
        if [[ -z $chosen ]]; then chosen=$word
        elif [[ -z $verb && " {with_verbs} " == *" $chosen "* ]]; then verb=$word; chosen="$chosen $word"; fi
    done
    COMPREPLY=()
    if [[ $value == yes ]]; then _watchword_value "$chosen" "$before" "$current"; return; fi
    if [[ $current == -* ]]; then
        options='{common}'
        case $chosen in
{options}
        esac
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
        return
    fi
    case $chosen in
        '') mapfile -t COMPREPLY < <(compgen -W '{commands}' -- "$current") ;;
{positionals}
    esac
}}

_watchword_takes_value() {{
    case "$1:$2" in
{takes_value}
    esac
    return 1
}}

_watchword_value() {{
    case "$1:$2" in
        *:-o)
            mapfile -t COMPREPLY < <(compgen -S = -W "$_watchword_settings" -- "$3")
            [[ ${{#COMPREPLY[@]}} = 0 ]] || compopt -o nospace 2>/dev/null ;;
{values}
    esac
}}

_watchword_settings='{settings}'
complete -F _watchword watchword
"""


def _bash(reference: Reference) -> str:
    each = list(_each(reference))
    common = reference.options
    return _BASH.format(
        use=_USE["bash"],
        with_verbs=" ".join(command.name for command in reference.commands if command.verbs),
        common=" ".join(_flags(common)),
        commands=" ".join(command.name for command in reference.commands),
        options="\n".join(
            f"            '{name}') options+=' {' '.join(_flags(one.options))}' ;;"
            for name, one in each
            if one.options
        ),
        positionals="\n".join(_bash_positional(name, one) for name, one in each),
        takes_value="\n".join(
            [
                f"        *:{'|*:'.join(_flags(o for o in common if o.takes_value))}) return 0 ;;",
                *(
                    f"        {'|'.join(shlex.quote(f'{name}:{flag}') for flag in flags)}) return 0 ;;"
                    for name, one in each
                    if (flags := _flags(o for o in one.options if o.takes_value))
                ),
            ]
        ),
        values="\n".join(
            [
                *(_bash_value("*", option) for option in common if _completes(option)),
                *(
                    _bash_value(name, option)
                    for name, one in each
                    for option in one.options
                    if _completes(option)
                ),
            ]
        ),
        settings=" ".join(setting_keys()),
    )


def _flags(options: Iterator[Argument] | Sequence[Argument]) -> list[str]:
    return [flag for option in options for flag in option.flags]


def _completes(option: Argument) -> bool:
    return bool(option.choices) or option.takes_file


def _bash_value(name: str, option: Argument) -> str:
    pattern = "|".join(f"*:{f}" if name == "*" else shlex.quote(f"{name}:{f}") for f in option.flags)
    return f"        {pattern}) {_bash_words(option, '$3')} ;;"


def _bash_positional(name: str, command: CommandReference) -> str:
    if command.verbs:
        words = " ".join(verb.name for verb in command.verbs)
        action = f"mapfile -t COMPREPLY < <(compgen -W '{words}' -- \"$current\")"
    elif any(one.metavar.upper() == "KEY" for one in command.positionals):
        action = 'mapfile -t COMPREPLY < <(compgen -W "$_watchword_settings" -- "$current")'
    else:
        offered = next((one for one in command.positionals if _completes(one)), None)
        action = _bash_words(offered, "$current") if offered else ":"
    return f"        '{name}') {action} ;;"


def _bash_words(argument: Argument, current: str) -> str:
    if argument.choices:
        return f"mapfile -t COMPREPLY < <(compgen -W '{' '.join(argument.choices)}' -- \"{current}\")"
    return f'compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "{current}")'


_ZSH = """\
#compdef watchword
# Completion of `watchword` for zsh, written by `watchword completion zsh`;
# {use}.

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


def _zsh(reference: Reference) -> str:
    return _ZSH.format(
        use=_USE["zsh"],
        common=_lines(8, (spec for option in reference.options for spec in _zsh_option(option))),
        commands=_lines(8, (_zsh_described(one) for one in reference.commands)),
        settings=" ".join(setting_keys()),
        cases="\n".join(_zsh_case(command, 8) for command in reference.commands),
    )


def _zsh_case(command: CommandReference, indent: int) -> str:
    options = [spec for option in command.options for spec in _zsh_option(option)]
    if command.verbs:
        names = ", ".join(verb.name for verb in command.verbs)
        tail = [
            "'1:action:((" + " ".join(_zsh_choice(verb) for verb in command.verbs) + "))'",
            "'*::argument:->verb'",
        ]
        return "\n".join(
            [
                f"{' ' * indent}{command.name}) # {names}",
                f"{' ' * indent}    local state line; typeset -A opt_args",
                f"{' ' * indent}    _arguments -C $common \\",
                " \\\n".join(f"{' ' * (indent + 8)}{one}" for one in [*options, *tail]) + " && return",
                f"{' ' * indent}    case $line[1] in",
                *(_zsh_case(verb, indent + 8) for verb in command.verbs),
                f"{' ' * indent}    esac ;;",
            ]
        )
    specs = [*options, *(_zsh_positional(one) for one in command.positionals)]
    joined = "".join(f" \\\n{' ' * (indent + 8)}{one}" for one in specs)
    return f"{' ' * indent}{command.name})\n{' ' * indent}    _arguments $common{joined} ;;"


def _zsh_option(option: Argument) -> Iterator[str]:
    value = f":{_zsh_plain(option.metavar)}:{_zsh_action(option)}" if option.takes_value else ""
    for flag in option.flags:
        glue = "=" if value and flag.startswith("--") else ""
        repeat = "*" if flag == "-o" else ""
        yield shlex.quote(f"{repeat}{flag}{glue}[{_zsh_plain(option.help)}]{value}")


def _zsh_positional(argument: Argument) -> str:
    many = "*" if argument.repeated else ""
    colons = "::" if argument.optional and not argument.repeated else ":"
    return shlex.quote(f"{many}{colons}{_zsh_plain(argument.metavar)}:{_zsh_action(argument)}")


def _zsh_action(argument: Argument) -> str:
    if argument.choices:
        return f"({' '.join(argument.choices)})"
    if argument.metavar.upper() == "KEY":
        return "_watchword_settings"
    if argument.flags == ("-o",):
        return "_watchword_setting"
    return "_files" if argument.takes_file else " "


def _zsh_plain(text: str) -> str:
    """Without the characters that `_arguments` gives a meaning to."""
    return text.replace("[", "(").replace("]", ")").replace(":", " -").replace("'", "’")


def _zsh_described(command: CommandReference) -> str:
    return shlex.quote(f"{command.name}:{_zsh_plain(command.help)}")


def _zsh_choice(verb: CommandReference) -> str:
    words = _zsh_plain(verb.help)
    for sign in '\\ ();"`$':
        words = words.replace(sign, f"\\{sign}")
    return f"{verb.name}\\:{words}"


def _lines(indent: int, lines: Iterator[str]) -> str:
    return "\n".join(f"{' ' * indent}{line}" for line in lines)
