"""Mistakes in the syntax of a TOML file, each told with its line and its cure.

tomllib stops at the first one and speaks of its grammar. Here a line that can be mended is mended for the
time being and reading goes on, so that one start tells of all mistakes.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from typing import Any

from common.redact import redact

MOST = 20
"""Mistakes told of one file."""
_MOST_READ = 4_000_000
"""Characters read in all: every mistake costs another reading of the file."""
_MOST_DOTS = 2000
"""Dots in a line: tomllib takes hours over a name of many thousand parts."""
_LONGEST_SHOWN = 80

_PLACE = re.compile(r"\(at line (\d+), column \d+\)")
_ASSIGNMENT = re.compile(r"\s*([A-Za-z0-9_.\"'-]+)\s*=\s*(.*?)\s*$")
_COMMENT_BEHIND = re.compile(r"\s+#.*$")
_FOREIGN_COMMENT = re.compile(r"\s*(?://|/\*|;|--|%|<!--)")
_CURLY = str.maketrans(dict.fromkeys("“”„‟«»「」", '"') | dict.fromkeys("‘’‚‛`´", "'"))
_WIDE = str.maketrans(
    {
        "＝": "=",
        "［": "[",
        "］": "]",
        "＂": '"',
        "，": ",",
        "．": ".",
        "\u00a0": " ",
        "\u3000": " ",
        "\ufeff": "",
    }
)
_TRUE, _FALSE = ("true", "yes", "on", "y"), ("false", "no", "off", "n")
_QUOTED = {'"': re.compile(r'"(?:[^"\\]|\\.)*"'), "'": re.compile(r"'[^']*'")}


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong in a line; line 0 is the file as a whole."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class _Cure:
    """The cure in words, and the line as it should be; None if what follows cannot be read."""

    words: str
    line: str | None = ""


def parse(text: str) -> tuple[dict[str, Any], tuple[Mistake, ...]]:
    """What the file says, as far as it can be read, and what is wrong with it."""
    lines = text.replace("\r\n", "\n").split("\n")
    for number, line in enumerate(lines, 1):
        if line.count(".") > _MOST_DOTS:
            return {}, (Mistake(number, f"{_shown(line)}: is nested too deeply"),)
    mistakes: list[Mistake] = []
    for _ in range(max(1, min(MOST, _MOST_READ // (len(text) + 1)))):
        try:
            return tomllib.loads("\n".join(lines)), tuple(mistakes)
        except RecursionError:
            return {}, (*mistakes, Mistake(0, "is nested too deeply"))
        except tomllib.TOMLDecodeError as error:
            number, cure = _explain(lines, str(error))
            mistakes.append(Mistake(number, redact(f"{_shown(lines[number - 1])}: {cure.words}")))
            if cure.line is None or cure.line == lines[number - 1]:
                return _readable(lines[: number - 1]), tuple(mistakes)
            lines[number - 1] = cure.line
    return {}, tuple(mistakes)


def _readable(lines: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads("\n".join(lines))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _explain(lines: list[str], error: str) -> tuple[int, _Cure]:
    """The number of the line at fault, counted from 1, and what to do about it."""
    place = _PLACE.search(error)
    number = min(int(place[1]), len(lines)) if place else _first_broken(lines)
    words = error.partition(" (at ")[0]
    if words.startswith(("Cannot declare", "Cannot overwrite", "Cannot mutate", "Cannot redefine")):
        return number, _duplicate(lines, number)
    opened = _opened_before(lines, number)
    if opened and _is_toml(lines[number - 1]):
        number, opened = opened, 0  # that line is fine; what is open before it is not
    line = lines[number - 1]
    if _opens_text(line):
        return number, _Cure("the text is not closed; write its three quotes at its end too", None)
    if _opens_list(line) and _goes_on(lines, number):
        return number, _Cure("the list is not closed; write ] at its end", None)
    if opened and not _ASSIGNMENT.match(line):
        return number, _Cure("a comma is missing in the list, or an entry wants quotes", None)
    return number, _cure(line, words)


def _first_broken(lines: list[str]) -> int:
    """The first line that is no TOML by itself: where the text began that tomllib read to the end."""
    return next((n for n, line in enumerate(lines, 1) if not _is_toml(line)), len(lines))


def _opened_before(lines: list[str], number: int) -> int:
    """The line before `number` whose list is still open there; 0 if none is."""
    for opened in range(number - 1, 0, -1):
        line = lines[opened - 1]
        if _opens_list(line):
            return 0 if _is_toml("\n".join(lines[opened - 1 : number - 1])) else opened
        if _ASSIGNMENT.match(line):
            return 0
    return 0


def _goes_on(lines: list[str], number: int) -> bool:
    """True if the list that line `number` opens has entries in the lines below."""
    below = next((line for line in lines[number:] if line.strip() and not line.lstrip().startswith("#")), "")
    return bool(below) and not _ASSIGNMENT.match(below) and not _is_toml(below)


def _opens_text(line: str) -> bool:
    return any(line.count(quotes) == 1 for quotes in ('"""', "'''"))


def _opens_list(line: str) -> bool:
    match = _ASSIGNMENT.match(line)
    bare = re.sub(r"#.*$", "", re.sub(r"\"[^\"]*\"|'[^']*'", "", match[2])) if match else ""
    return bare.startswith("[") and bare.count("[") > bare.count("]")


def _duplicate(lines: list[str], number: int) -> _Cure:
    """A key or table that stands twice; the second is left out for the time being."""
    line = lines[number - 1]
    bare = re.sub(r"\s", "", line.partition("=")[0].partition("#")[0])
    before = [
        n
        for n, other in enumerate(lines[: number - 1], 1)
        if re.sub(r"\s", "", other.partition("=")[0].partition("#")[0]) == bare
    ]
    first = f" in line {before[-1]}" if before else " above"
    if line.lstrip().startswith("["):
        return _Cure(f"this section begins{first} already; move its lines there", None)
    return _Cure(f"this is set{first} already; leave one of the two")


def _cure(line: str, words: str) -> _Cure:
    """The cure of a line that is wrong by itself."""
    if foreign := [sign for sign in line if ord(sign) in _WIDE or not (sign.isprintable() or sign == "\t")]:
        known = "write the ordinary sign" if ord(foreign[0]) in _WIDE else "remove it"
        plain = "".join(sign for sign in line.translate(_WIDE) if sign.isprintable() or sign == "\t")
        return _Cure(f"contains the sign U+{ord(foreign[0]):04X}; {known}", plain)
    if _FOREIGN_COMMENT.match(line):
        return _Cure("a comment begins with #", f"#{line}")
    if line.lstrip().startswith("["):
        return _header(line)
    if match := _ASSIGNMENT.match(line):
        if match[2].startswith("=") and _is_toml(f"{match[1]} {match[2]}"):
            return _suggest(match[1], match[2].lstrip("= "), "one = is enough")
        return _value(match[1], match[2], words)
    if match := re.match(r"\s*([A-Za-z0-9_.-]+)(?:\s*:=?\s*(.*)|\s+([^\s=]+|[\"'].*))$", line):
        name, value = match[1], match[2] or match[3] or ""
        mended = f"{name} = {value}"
        mended = mended if _is_toml(mended) else (_value(name, value, words).line or "")
        return _Cure(f"write = behind the name{f': {mended}' if mended else ''}", mended)
    if "=" in line:
        return _Cure("the name of a setting has small English letters, digits and _ only, no spaces")
    return _Cure("is no [section], no setting (name = value) and no # comment")


def _header(line: str) -> _Cure:
    name = re.sub(r"[\[\]\s]|#.*$", "", line)
    mended = f"[{name}]"
    if not name or not _is_toml(mended):
        return _Cure("a section is written as [name]", None)
    return _Cure(f"a section is written as {mended}", mended)


def _value(name: str, value: str, words: str) -> _Cure:
    """The cure for what stands behind the =."""
    if value.startswith(("[", "{")):
        return _collection(name, value)
    if value.translate(_CURLY)[:1] in ("'", '"'):
        return _text(name, value, words)
    bare = _COMMENT_BEHIND.sub("", value)
    if not bare or bare.startswith("#"):
        return _Cure("a value is missing behind =")
    if " = " in bare:
        return _Cure("each setting wants a line of its own")
    number, why = _number(bare)
    if number:
        return _suggest(name, number, why)
    if bare.lower() in (*_TRUE, *_FALSE):
        return _suggest(name, "true" if bare.lower() in _TRUE else "false", "switches are true or false")
    return _suggest(name, json.dumps(bare, ensure_ascii=False), "text wants quotes")


def _number(bare: str) -> tuple[str, str]:
    """The number that was meant, and why it cannot be read; empty if no number was."""
    if re.fullmatch(r"[+-]?\d+,\d+", bare):
        return bare.replace(",", "."), "a decimal point is a point"
    if re.fullmatch(r"[+-]?\.\d+", bare):
        return bare.replace(".", "0."), "a number begins with a digit"
    if re.fullmatch(r"[+-]?\d+\.", bare):
        return f"{bare}0", "a number ends with a digit"
    if re.fullmatch(r"0\d+", bare):
        return bare.lstrip("0") or "0", "a number has no leading zeros"
    if match := re.fullmatch(r"([+-]?\d+(?:\.\d+)?)\s*(?:%|°|[A-Za-z]{1,3}|초|분|시간)", bare):
        return match[1], "a number stands without its unit"
    return "", ""


def _text(name: str, value: str, words: str) -> _Cure:
    """The cure for text in quotes, or in what was meant as quotes."""
    straight = value.translate(_CURLY)
    if straight != value and _is_toml(f"{name} = {straight}"):
        return _suggest(name, straight, "only straight quotes are quotes")
    quote = straight[0]
    closed = _QUOTED[quote].match(straight)
    if closed and "\\" in closed[0]:
        return _suggest(name, f"'{closed[0][1:-1]}'", "a backslash wants single quotes around the text")
    if closed:
        behind = straight[closed.end() :].strip()
        return _Cure(
            "one text in one pair of quotes, and nothing behind it" if behind else f"is no text: {words}"
        )
    inner = _COMMENT_BEHIND.sub("", straight[1:]).rstrip("'\" ")
    ends = "'" if "\\" in inner else quote
    return _suggest(name, f"{ends}{inner}{ends}", "the closing quote is missing")


def _collection(name: str, value: str) -> _Cure:
    bare = _COMMENT_BEHIND.sub("", value).translate(_CURLY)
    if value.startswith("{"):
        return _Cure('a table in one line is written as { name = "text", other = 1 }')
    if not bare.endswith("]"):
        return _suggest(name, f"{bare.rstrip(', ')}]", "the list is not closed")
    entries = [entry.strip(" '\"") for entry in bare[1:-1].split(",") if entry.strip(" '\"")]
    return _suggest(
        name, json.dumps(entries, ensure_ascii=False), "each text in a list wants quotes, and a comma between"
    )


def _suggest(name: str, value: str, why: str) -> _Cure:
    line = f"{name} = {value}"
    return _Cure(f"{why}; write {_shown(line)}", line) if _is_toml(line) else _Cure(why)


def _is_toml(text: str) -> bool:
    try:
        tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return False
    return True


def _shown(line: str) -> str:
    """A line as it is shown: short, and without signs that would break the message."""
    plain = " ".join("".join(sign if sign.isprintable() else " " for sign in line[:400]).split())
    return plain if len(plain) <= _LONGEST_SHOWN else f"{plain[:_LONGEST_SHOWN]}..."
