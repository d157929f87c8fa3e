"""The script by which bash completes `watchword`."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from daemon.cli.pages.reference import Argument, CommandLineReference, CommandReference, setting_keys

_BASH = """\
# Completion of `watchword` for bash, written by `watchword completion bash`;
# put it into ~/.local/share/bash-completion/completions/watchword.
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


def render(reference: CommandLineReference) -> str:
    """The script."""
    each = list(reference.each())
    common = reference.options
    return _BASH.format(
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
                *(_bash_value("*", option) for option in common if option.completes),
                *(
                    _bash_value(name, option)
                    for name, one in each
                    for option in one.options
                    if option.completes
                ),
            ]
        ),
        settings=" ".join(setting_keys()),
    )


def _flags(options: Iterable[Argument]) -> list[str]:
    return [flag for option in options for flag in option.flags]


def _bash_value(name: str, option: Argument) -> str:
    pattern = "|".join(f"*:{f}" if name == "*" else shlex.quote(f"{name}:{f}") for f in option.flags)
    return f"        {pattern}) {_bash_words(option, '$3')} ;;"


def _bash_positional(name: str, command: CommandReference) -> str:
    if command.verbs:
        words = " ".join(verb.name for verb in command.verbs)
        action = f"mapfile -t COMPREPLY < <(compgen -W '{words}' -- \"$current\")"
    elif any(one.takes_setting_name for one in command.positionals):
        action = 'mapfile -t COMPREPLY < <(compgen -W "$_watchword_settings" -- "$current")'
    else:
        offered = next((one for one in command.positionals if one.completes), None)
        action = _bash_words(offered, "$current") if offered else ":"
    return f"        '{name}') {action} ;;"


def _bash_words(argument: Argument, current: str) -> str:
    if argument.choices:
        return f"mapfile -t COMPREPLY < <(compgen -W '{' '.join(argument.choices)}' -- \"{current}\")"
    return f'compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "{current}")'
