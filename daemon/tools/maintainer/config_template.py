"""The commented `config.toml`, made from the settings' own descriptions."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import tomli_w

from daemon.config.schema import ENTRY, KeyPath, limits
from daemon.config.settings import SCHEMA, defaults

_HEADER = """\
Watchword's settings: every one of them, with its default and its unit. To change one, remove
the mark before its name and write another value. `watchword config check` tells whether the
file holds, `watchword config show` what is in force, and why.

Read from the first of: --config FILE, $WATCHWORD_CONFIG, ./config.toml,
~/.config/watchword/config.toml, /etc/watchword/config.toml. An environment variable such as
WATCHWORD_SPEECH__RATE_WPM=220 beats the file, an option of the command beats both.
"""
_HAZARDS = """\
The hazards, each in a table of its own. Add your own as [hazards.NAME] with at least `prompts` and
`say_en`; leave one out with `enabled = false`. In each table:
"""
_WIDTH = 100
_NO_HOME = {"HOME": "/"}


def render() -> str:
    """The whole file as text."""
    return "\n".join([*_comment(_HEADER), "", *_lines()]).rstrip() + "\n"


def _lines() -> Iterator[str]:
    values = defaults(_NO_HOME).model_dump(mode="json")
    values["paths"] = dict.fromkeys(values["paths"], "auto")
    hazards = values.pop("hazards")
    for name, section in values.items():
        yield from _section((name,), section)
    yield from _comment(_HAZARDS)
    yield from (line for key in SCHEMA.names(("hazards", ENTRY)) for line in _help_line(key))
    for name, hazard in hazards.items():
        yield from ("", f"[hazards.{name}]", *_assignments(hazard))


def _section(path: KeyPath, values: Mapping[str, Any]) -> Iterator[str]:
    plain = {key: value for key, value in values.items() if not isinstance(value, dict)}
    yield f"[{'.'.join(path)}]"
    yield from _comment((SCHEMA.at(path) or {}).get("description", ""))
    if SCHEMA.names(path) == (ENTRY,):  # people name the entries; they are all alike
        yield from _assignments(plain)
        plain = {}
    for key, value in plain.items():
        yield ""
        yield from _comment(_meaning((*path, key)))
        yield from _assignments({key: value})
    yield ""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _section((*path, key), value)


def _help_line(key: str) -> Iterator[str]:
    yield from _comment(f"{key}: {_meaning(('hazards', ENTRY, key))}", indent="  ")


def _meaning(path: KeyPath) -> str:
    """The description, and the range or the choices where it does not name them itself."""
    spec = SCHEMA.at(path) or {}
    description = str(spec.get("description", ""))
    told = " | " in description or not limits(spec) or limits(spec).removeprefix("from ") in description
    return description if told else f"{description}; {limits(spec)}"


def _assignments(values: Mapping[str, Any]) -> Iterator[str]:
    """Defaults stand as comments, so that a better default in a later version is not kept out by the file."""
    for key, value in values.items():
        if isinstance(value, list) and value:
            yield from (f"#{key} = [", *_packed(value), "#]")
        else:
            yield f"#{tomli_w.dumps({key: value}).rstrip()}"


def _packed(texts: Iterable[str]) -> Iterator[str]:
    """A list's entries, as many in a line as fit; TOML's basic strings are written as JSON's."""
    line = "#   "
    for entry in (f" {json.dumps(text, ensure_ascii=False)}," for text in texts):
        if len(line + entry) > _WIDTH:
            yield line
            line = "#   "
        line += entry
    yield line


def _comment(text: str, indent: str = "") -> Iterator[str]:
    for line in text.splitlines():
        wrapped = textwrap.wrap(line, _WIDTH, initial_indent=indent, subsequent_indent=indent + "  ")
        yield from (f"# {part}".rstrip() for part in wrapped or [""])


def main() -> int:
    """Write the file, or with --check tell whether it is up to date."""
    parser = argparse.ArgumentParser(prog="script/config_template", description=main.__doc__)
    parser.add_argument("file", type=Path, nargs="?", default=Path("config.toml"))
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when it is out of date")
    args = parser.parse_args()
    text = render()
    if not args.check:
        args.file.write_text(text, encoding="utf-8")
    elif not args.file.is_file() or args.file.read_text(encoding="utf-8") != text:
        sys.stderr.write(f"{args.file} is out of date: run script/config_template\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
