"""Generates `config.toml`, its JSON schema, and the documentation's table of live settings."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import tomli_w

from common.live_settings import LIVE
from daemon.config.most_used import MOST_USED
from daemon.config.schema import ENTRY, KeyPath, dotted, limits
from daemon.config.settings import SCHEMA, defaults

SCHEMA_LINE = "#:schema ./config.schema.json"
"""Editors with Taplo (Even Better TOML) take completion and checks from there; it has to come first."""
_HEADER = """\
Watchword's settings: every one of them, with its default and its unit. To change one, remove
the # before its name and write another value, or leave this file alone and use `watchword
config set KEY VALUE`. `watchword config check` tells whether the file is valid, `watchword config
show` which values are in force, and from where.

Read from the first of: --config FILE, $WATCHWORD_CONFIG, ./config.toml,
~/.config/watchword/config.toml, /etc/watchword/config.toml. An environment variable such as
WATCHWORD_SPEECH__RATE_WPM=220 beats the file, an option such as -o speech.rate_wpm=220 beats both.

Each name is written in full, so settings may stand in any order. If you write a section as a
table instead, such as [speech], put all its settings below that line, and tables at the end.
"""
_COMMON = "The twenty that most people change. All others follow, section by section."
_HAZARDS = """\
The hazards, each in a table of its own. Add your own as [hazards.NAME] with at least `prompts` and
`say_en`; leave one out with `enabled = false`. In each table:
"""
_WIDTH = 100
# The defaults must not show the home folder of the person who runs this.
_NO_HOME = {"HOME": "/"}
BEGIN, END = "<!-- written by script/config_template -->", "<!-- end of what it writes -->"
"""Marks around the table in docs/configuration.md."""


def render() -> str:
    """The whole file as text."""
    return "\n".join([SCHEMA_LINE, *_comment(_HEADER), *_lines()]).rstrip() + "\n"


def _lines() -> Iterator[str]:
    values = defaults(_NO_HOME).model_dump(mode="json")
    # The resolved folders depend on the machine.
    values["paths"] = dict.fromkeys(values["paths"], "auto")
    hazards = values.pop("hazards")
    settings = {(section,): own for section, own in values.items()}
    yield from ("", *_heading(_COMMON))
    for name in MOST_USED:
        section, key = name.split(".")
        yield from _setting((section, key), values[section][key])
    for path, own in settings.items():
        yield from _section(path, own)
    yield from ("", *_heading("The hazards"), *_comment(_HAZARDS))
    yield from (line for key in SCHEMA.names(("hazards", ENTRY)) for line in _help_line(key))
    for name, hazard in hazards.items():
        # One comment above explains all hazards: they have the same keys.
        yield from ("", f"[hazards.{name}]", *_assignments(hazard))


def _heading(text: str) -> Iterator[str]:
    yield f"# {'=' * 20}"
    yield from _comment(text)


def _section(path: KeyPath, values: Mapping[str, Any]) -> Iterator[str]:
    rest = {key: value for key, value in values.items() if dotted((*path, key)) not in MOST_USED}
    yield from ("", *_heading(f"{dotted(path)}: {(SCHEMA.at(path) or {}).get('description', '')}"))
    # True for a table whose keys users choose, such as `keys.on`: its entries need no comment each.
    entries = SCHEMA.names(path) == (ENTRY,)
    for key, value in rest.items():
        if isinstance(value, dict) and value:
            yield from _section((*path, key), value)
        elif entries:
            yield from _assignments({key: value}, f"{dotted(path)}.")
        else:
            yield from _setting((*path, key), value)


def _setting(path: KeyPath, value: Any) -> Iterator[str]:
    yield ""
    yield from _comment(_meaning(path))
    yield from _assignments({path[-1]: value}, f"{dotted(path[:-1])}.")


def _help_line(key: str) -> Iterator[str]:
    yield from _comment(f"{key}: {_meaning(('hazards', ENTRY, key))}", indent="  ")


def _meaning(path: KeyPath) -> str:
    """The description of a setting, with its range or choices if the text does not state them."""
    spec = SCHEMA.at(path) or {}
    description = str(spec.get("description", ""))
    stated = " | " in description or not limits(spec) or limits(spec).removeprefix("from ") in description
    return description if stated else f"{description}; {limits(spec)}"


def _assignments(values: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """Lines that set the values, commented out: a better default of a later version then takes effect."""
    for key, value in values.items():
        if isinstance(value, list) and value:
            yield from (f"#{before}{key} = [", *_packed(value), "#]")
        elif value == {}:
            yield f"#{before}{key} = {{}}"
        else:
            yield f"#{before}{tomli_w.dumps({key: value}).rstrip()}"


def _packed(texts: Iterable[str]) -> Iterator[str]:
    """Lines with a list's entries, as many in each as fit. TOML writes basic strings as JSON does."""
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


def live_table() -> str:
    """Markdown: the settings that `reload` applies, by section, and those that need a restart."""
    rows = ["| section | taken over at once | needs a restart |", "| --- | --- | --- |"]
    for section in SCHEMA.names(()):
        keys = list(SCHEMA.leaves((section,)))
        live = [key for key in keys if (SCHEMA.at(key) or {}).get(LIVE)]
        if live:
            some = len(live) < len(keys)
            names = ", ".join(f"`{dotted(key[1:])}`" for key in live) if some else "all"
            rows.append(f"| `{section}` | {names} | {'the rest' if some else ''} |")
    return "\n".join([*rows, "| any other | | all |"]) + "\n"


def with_live_table(page: str) -> str:
    """The page with the table between its marks written anew. Raises ValueError if it has no marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"the page lacks the lines {BEGIN} and {END}")
    return f"{before}{begin}\n{live_table()}{end}{after}"


def main() -> int:
    """Write the files, or with --check tell whether they are up to date."""
    parser = argparse.ArgumentParser(prog="script/config_template", description=main.__doc__)
    parser.add_argument("file", type=Path, nargs="?", default=Path("config.toml"))
    parser.add_argument("--page", type=Path, default=Path("docs/configuration.md"))
    parser.add_argument("--schema", type=Path, default=Path("config.schema.json"))
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if one is out of date")
    args = parser.parse_args()
    texts = {
        args.file: render(),
        args.page: with_live_table(args.page.read_text(encoding="utf-8")),
        args.schema: SCHEMA.to_json(),
    }
    stale = [file for file, text in texts.items() if not file.is_file() or file.read_text("utf-8") != text]
    for file in stale:
        if args.check:
            sys.stderr.write(f"{file} is out of date: run script/config_template\n")
        else:
            file.write_text(texts[file], encoding="utf-8")
    return 1 if stale and args.check else 0


if __name__ == "__main__":
    sys.exit(main())
