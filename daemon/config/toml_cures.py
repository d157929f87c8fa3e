"""Finds the cure for one line that is no TOML: the mistake in words, and the corrected line."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass

_LONGEST_SHOWN = 80

ASSIGNMENT = re.compile(r"\s*([A-Za-z0-9_.\"'-]+)\s*=\s*(.*?)\s*$")
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
class Cure:
    """The cure in words, and the corrected line; None if the lines below cannot be read either."""

    words: str
    line: str | None = ""


def cure_line(line: str, words: str) -> Cure:
    """The correction of a line that is wrong regardless of the other lines."""
    # Before everything else: an invisible sign makes every other explanation wrong.
    if foreign := [sign for sign in line if ord(sign) in _WIDE or not (sign.isprintable() or sign == "\t")]:
        known = "write the ordinary sign" if ord(foreign[0]) in _WIDE else "remove it"
        plain = "".join(sign for sign in line.translate(_WIDE) if sign.isprintable() or sign == "\t")
        return Cure(f"contains the sign U+{ord(foreign[0]):04X}; {known}", plain)
    if _FOREIGN_COMMENT.match(line):
        return Cure("a comment begins with #", f"#{line}")
    if line.lstrip().startswith("["):
        return _header(line)
    if match := ASSIGNMENT.match(line):
        # `==`, as in programming languages.
        if match[2].startswith("=") and is_toml(f"{match[1]} {match[2]}"):
            return _suggest(match[1], match[2].lstrip("= "), "one = is enough")
        return _value(match[1], match[2], words)
    if match := re.match(r"\s*([A-Za-z0-9_.-]+)(?:\s*:=?\s*(.*)|\s+([^\s=]+|[\"'].*))$", line):
        name, value = match[1], match[2] or match[3] or ""
        mended = f"{name} = {value}"
        # The value may be wrong too, and gets its own cure.
        mended = mended if is_toml(mended) else (_value(name, value, words).line or "")
        return Cure(f"write = behind the name{f': {mended}' if mended else ''}", mended)
    if "=" in line:
        return Cure("the name of a setting has small English letters, digits and _ only, no spaces")
    return Cure("is no [section], no setting (name = value) and no # comment")


def _header(line: str) -> Cure:
    name = re.sub(r"[\[\]\s]|#.*$", "", line)
    mended = f"[{name}]"
    if not name or not is_toml(mended):
        return Cure("a section is written as [name]", None)
    return Cure(f"a section is written as {mended}", mended)


def _value(name: str, value: str, words: str) -> Cure:
    """The cure for the value behind the =."""
    # As in JSON or C.
    ended = _COMMENT_BEHIND.sub("", value).rstrip()
    if ended.endswith((",", ";")) and is_toml(f"{name} = {ended.rstrip(',; ')}"):
        return _suggest(name, ended.rstrip(",; "), "a line ends without a comma or semicolon")
    if value.startswith(("[", "{")):
        return _collection(name, value)
    if value.translate(_CURLY)[:1] in ("'", '"'):
        return _text(name, value, words)
    # A comment behind the value must not become part of the suggested text.
    bare = _COMMENT_BEHIND.sub("", value)
    if not bare or bare.startswith("#"):
        return Cure("a value is missing behind =")
    # Two settings in one line.
    if " = " in bare:
        return Cure("each setting wants a line of its own")
    number, why = _number(bare)
    if number:
        return _suggest(name, number, why)
    if bare.lower() in (*_TRUE, *_FALSE):
        return _suggest(name, "true" if bare.lower() in _TRUE else "false", "switches are true or false")
    return _suggest(name, json.dumps(bare, ensure_ascii=False), "text wants quotes")


def _number(bare: str) -> tuple[str, str]:
    """The probable number and why it is no TOML; both empty if the text is no number."""
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


def _text(name: str, value: str, words: str) -> Cure:
    """The cure for text in quotes, or in something meant as quotes."""
    straight = value.translate(_CURLY)
    if straight != value and is_toml(f"{name} = {straight}"):
        return _suggest(name, straight, "only straight quotes are quotes")
    quote = straight[0]
    closed = _QUOTED[quote].match(straight)
    if closed and "\\" in closed[0]:
        return _suggest(name, f"'{closed[0][1:-1]}'", "a backslash wants single quotes around the text")
    if closed:
        behind = straight[closed.end() :].strip()
        return Cure(
            "one text in one pair of quotes, and nothing behind it" if behind else f"is no text: {words}"
        )
    inner = _COMMENT_BEHIND.sub("", straight[1:]).rstrip("'\" ")
    # Windows paths: in single quotes a backslash means itself.
    ends = "'" if "\\" in inner else quote
    return _suggest(name, f"{ends}{inner}{ends}", "the closing quote is missing")


def _collection(name: str, value: str) -> Cure:
    bare = _COMMENT_BEHIND.sub("", value).translate(_CURLY)
    if value.startswith("{"):
        return Cure('a table in one line is written as { name = "text", other = 1 }')
    if not bare.endswith("]"):
        return _suggest(name, f"{bare.rstrip(', ')}]", "the list is not closed")
    entries = [entry.strip(" '\"") for entry in bare[1:-1].split(",") if entry.strip(" '\"")]
    return _suggest(
        name, json.dumps(entries, ensure_ascii=False), "each text in a list wants quotes, and a comma between"
    )


def _suggest(name: str, value: str, why: str) -> Cure:
    line = f"{name} = {value}"
    return Cure(f"{why}; write {shown_line(line)}", line) if is_toml(line) else Cure(why)


def is_toml(text: str) -> bool:
    try:
        tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return False
    return True


def shown_line(line: str) -> str:
    """The line shortened, without signs that would break the message."""
    plain = " ".join("".join(sign if sign.isprintable() else " " for sign in line[:400]).split())
    return plain if len(plain) <= _LONGEST_SHOWN else f"{plain[:_LONGEST_SHOWN]}..."
