"""MJPEG bodies as cheap cameras send them: what is announced and what comes differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def _part(data: bytes, *lines: str, first: str = "--frame", end: str = "\r\n") -> bytes:
    head = [line for line in (first, *lines) if line]
    return (end.join(head) + end + end).encode() + data + end.encode()


def _bodies(pictures: Sequence[bytes]) -> Iterator[tuple[str, list[bytes]]]:
    kind, jpeg = "Content-Type: ", "Content-Type: image/jpeg"

    def sized(data: bytes, off: int = 0) -> str:
        return f"Content-Length: {len(data) + off}"

    yield "plain", [_part(p, jpeg, sized(p)) for p in pictures]
    yield (
        "no first boundary",
        [_part(p, jpeg, first="" if n == 0 else "--frame") for n, p in enumerate(pictures)],
    )
    yield "no boundary at all", [_part(p, jpeg, sized(p), first="") for p in pictures]
    yield "image/jpg", [_part(p, kind + "image/jpg", sized(p)) for p in pictures]
    yield "no type", [_part(p, sized(p)) for p in pictures]
    yield "no headers", [_part(p) for p in pictures]
    yield "no blank line", [b"--frame\r\n" + p + b"\r\n" for p in pictures]
    yield "octet-stream", [_part(p, kind + "application/octet-stream") for p in pictures]
    yield "text type", [_part(p, kind + "text/plain") for p in pictures]
    yield (
        "text between",
        [
            _part(p, jpeg) + (_part(b"motion: 0", kind + "text/plain") if n % 3 == 2 else b"")
            for n, p in enumerate(pictures)
        ],
    )
    yield "boundary without dashes", [_part(p, jpeg, sized(p), first="frame") for p in pictures]
    yield "boundary with four dashes", [_part(p, jpeg, first="----frame") for p in pictures]
    yield "another boundary", [_part(p, jpeg, first="--ipcamera") for p in pictures]
    yield "lf only", [_part(p, jpeg, end="\n") for p in pictures]
    yield "lf only, no dashes", [_part(p, first="frame", end="\n") for p in pictures]
    for off in (-100, -1, 1, 40, 100_000):
        yield f"length {off:+}", [_part(p, jpeg, sized(p, off)) for p in pictures]
    yield "length 0", [_part(p, jpeg, "Content-Length: 0") for p in pictures]
    yield "line ends before the picture", [_part(b"\r\n\r\n" + p, jpeg, sized(p, 4)) for p in pictures]
    yield "padding behind the picture", [_part(p + bytes(64), jpeg, sized(p, 64)) for p in pictures]
    yield "bare", list(pictures)


def cheap_bodies(pictures: Sequence[bytes]) -> dict[str, list[bytes]]:
    """The same pictures as each of them sends them, by the kind's name; one piece a picture."""
    return dict(_bodies(pictures))
