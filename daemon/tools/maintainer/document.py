"""Tables of a document: between `<!-- NAME -->` and `<!-- end -->` stands what a tool printed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path


def replaced(text: str, name: str, lines: Iterable[str]) -> str:
    """Return the document with one table replaced. Raises SystemExit if it has no marks for the table."""
    place = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not place.search(text):
        raise SystemExit(f"no place for the table {name!r}")
    table = "\n".join(lines)
    # A function, because a backslash in the table would otherwise be a group reference.
    return place.sub(lambda found: f"{found[1]}{table}\n{found[2]}", text, count=1)


def write_table(document: Path, name: str, lines: Iterable[str]) -> None:
    """Put one table in its place. Raises SystemExit if there is none, OSError."""
    text = replaced(document.read_text(encoding="utf-8"), name, lines)
    document.write_text(text, encoding="utf-8")


def code(lines: Iterable[str]) -> Iterable[str]:
    """Lines as they were printed."""
    yield from ("```", *lines, "```")
