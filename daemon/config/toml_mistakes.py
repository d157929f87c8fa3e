"""Finds the syntax errors of a TOML file, each with its line and its cure.

tomllib stops at the first error and reports it in terms of the grammar. Here a line that can be mended is
mended in memory and parsing continues, so that one start reports all mistakes.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any

from common.redact import redact
from daemon.config.toml_cures import ASSIGNMENT, Cure, cure_line, is_toml, shown_line

MOST = 20
"""Mistakes reported for one file at most."""
_MOST_READ = 4_000_000
"""Characters read in all: every mistake costs another reading of the file."""
_MOST_DOTS = 2000
"""Dots in a line: tomllib takes hours over a name of many thousand parts."""

_PLACE = re.compile(r"\(at line (\d+), column \d+\)")


@dataclass(frozen=True, slots=True)
class SyntaxMistake:
    """A mistake in a line; line 0 is the file as a whole."""

    line: int
    message: str


def parse(text: str) -> tuple[dict[str, Any], tuple[SyntaxMistake, ...]]:
    """The content of the file, as far as it can be read, and its mistakes."""
    # TOML ends lines with LF or CRLF; tomllib counts lines by LF.
    lines = text.replace("\r\n", "\n").split("\n")
    for number, line in enumerate(lines, 1):
        if line.count(".") > _MOST_DOTS:
            return {}, (SyntaxMistake(number, f"{shown_line(line)}: is nested too deeply"),)
    mistakes: list[SyntaxMistake] = []
    # Each round mends one line; a large file gets fewer rounds, as each one reads it all.
    for _ in range(max(1, min(MOST, _MOST_READ // (len(text) + 1)))):
        try:
            return tomllib.loads("\n".join(lines)), tuple(mistakes)
        except RecursionError:
            return {}, (*mistakes, SyntaxMistake(0, "is nested too deeply"))
        except tomllib.TOMLDecodeError as error:
            number, cure = _explain(lines, str(error))
            mistakes.append(SyntaxMistake(number, redact(f"{shown_line(lines[number - 1])}: {cure.words}")))
            # Only the text before the mistake can be used.
            if cure.line is None or cure.line == lines[number - 1]:
                return _readable(lines[: number - 1]), tuple(mistakes)
            lines[number - 1] = cure.line
    return {}, tuple(mistakes)


def _readable(lines: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads("\n".join(lines))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _explain(lines: list[str], error: str) -> tuple[int, Cure]:
    """The number of the line at fault, counted from 1, and the cure."""
    place = _PLACE.search(error)
    # tomllib reports the end of an unclosed text without a place.
    number = min(int(place[1]), len(lines)) if place else _first_broken(lines)
    words = error.partition(" (at ")[0]
    if words.startswith(("Cannot declare", "Cannot overwrite", "Cannot mutate", "Cannot redefine")):
        return number, _duplicate(lines, number)
    opened = _opened_before(lines, number)
    if opened and is_toml(lines[number - 1]):
        # This line is fine; the list that is still open before it is not.
        number, opened = opened, 0
    line = lines[number - 1]
    if _opens_text(line):
        return number, Cure("the text is not closed; write its three quotes at its end too", None)
    if _opens_list(line) and _goes_on(lines, number):
        return number, Cure("the list is not closed; write ] at its end", None)
    if opened and not ASSIGNMENT.match(line):
        return number, Cure("a comma is missing in the list, or an entry wants quotes", None)
    return number, cure_line(line, words)


def _first_broken(lines: list[str]) -> int:
    """The first line that is no TOML by itself: there begins the text that tomllib read to the end."""
    return next((n for n, line in enumerate(lines, 1) if not is_toml(line)), len(lines))


def _opened_before(lines: list[str], number: int) -> int:
    """The line before `number` whose list is still open there; 0 if none is."""
    for opened in range(number - 1, 0, -1):
        line = lines[opened - 1]
        if _opens_list(line):
            return 0 if is_toml("\n".join(lines[opened - 1 : number - 1])) else opened
        if ASSIGNMENT.match(line):
            return 0
    return 0


def _goes_on(lines: list[str], number: int) -> bool:
    """True if the list that line `number` opens has entries in the lines below."""
    below = next((line for line in lines[number:] if line.strip() and not line.lstrip().startswith("#")), "")
    return bool(below) and not ASSIGNMENT.match(below) and not is_toml(below)


def _opens_text(line: str) -> bool:
    # One triple quote in a line opens a text; two of them close it again.
    return any(line.count(quotes) == 1 for quotes in ('"""', "'''"))


def _opens_list(line: str) -> bool:
    match = ASSIGNMENT.match(line)
    # Quoted texts and comments may hold brackets of their own.
    bare = re.sub(r"#.*$", "", re.sub(r"\"[^\"]*\"|'[^']*'", "", match[2])) if match else ""
    return bare.startswith("[") and bare.count("[") > bare.count("]")


def _duplicate(lines: list[str], number: int) -> Cure:
    """The cure for a key or table that stands twice; the second one is left out."""
    line = lines[number - 1]
    bare = re.sub(r"\s", "", line.partition("=")[0].partition("#")[0])
    before = [
        n
        for n, other in enumerate(lines[: number - 1], 1)
        if re.sub(r"\s", "", other.partition("=")[0].partition("#")[0]) == bare
    ]
    first = f" in line {before[-1]}" if before else " above"
    section = bare.strip("[]")
    whole = [n for n, other in enumerate(lines[: number - 1], 1) if other.lstrip().startswith(f"{section}.")]
    if line.lstrip().startswith("[") and not before and whole:
        return Cure(
            f"settings of {section} are written as {section}.NAME = ... in line {whole[0]}; "
            "write those below so too, and above the first [section]",
            None,
        )
    if line.lstrip().startswith("["):
        return Cure(f"this section begins{first} already; move its lines there", None)
    return Cure(f"this is set{first} already; leave one of the two")
