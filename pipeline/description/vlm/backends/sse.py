"""Server-sent events as servers really send them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

LONGEST_EVENT = 2**16
"""Bytes of one event, of which an answer has one a token."""
MOST_BYTES = 2**20
"""Of one answer; a hundred tokens of a stream take about 30 kB."""


class TooMuchError(Exception):
    """More was sent than any answer takes."""


def bounded(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces. Raises TooMuchError after `MOST_BYTES`."""
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > MOST_BYTES:
            raise TooMuchError
        yield piece


def events(pieces: Iterable[bytes]) -> Iterator[str]:
    """The data of each event that has any (HTML standard, 9.2.6): its lines joined, comments left out.

    Lines may end in CR, LF or both; the last event need not be finished by an empty line. Servers that send
    one JSON object a line without the empty line between are understood, too. Raises TooMuchError.
    """
    data: list[str] = []
    for line in _lines(bounded(pieces)):
        if not line:
            yield from _finished(data)
            data = []
            continue
        field, _, value = line.partition(":")
        if field != "data":
            continue
        value = value.removeprefix(" ")
        if data and _is_whole(data) and _begins_event(value):
            yield from _finished(data)
            data = []
        data.append(value)
    yield from _finished(data)


def _finished(data: list[str]) -> Iterator[str]:
    """Empty data, which some servers send to keep the connection open, is no event."""
    if text := "\n".join(data).strip():
        yield text


def _is_whole(data: list[str]) -> bool:
    """True if these lines are complete: as many brackets are closed as opened."""
    text = "".join(data)
    return text.count("{") == text.count("}")


def _begins_event(value: str) -> bool:
    return value.lstrip().startswith(("{", "[DONE]"))


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    rest, begun = b"", False
    for piece in pieces:
        rest += piece
        if not begun and rest:
            rest, begun = rest.removeprefix(b"\xef\xbb\xbf"), True
        held = rest[-1:] == b"\r"  # its line feed may come with the next piece
        *lines, rest = (
            (rest[:-1] if held else rest).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        )
        rest += b"\r" if held else b""
        if len(rest) > LONGEST_EVENT:
            raise TooMuchError
        yield from (line.decode("utf-8", "replace") for line in lines)
    yield from (line.decode("utf-8", "replace") for line in rest.replace(b"\r", b"\n").split(b"\n"))
