"""Which pictures strangers may send: their kind and size, judged before anything is decoded. Pure."""

from __future__ import annotations

from common.image_header import ImageHeader, ImageKind, image_kind, read_header
from daemon.web.problems import Problem

LONGEST_SIDE = 20_000
TAKEN = (ImageKind.JPEG, ImageKind.PNG, ImageKind.WEBP)
TYPES = tuple(f"image/{kind}" for kind in TAKEN)


def measure(data: bytes, most_pixels: float) -> ImageHeader:
    """Raises Problem if it is none of the kinds we take, broken, or too large."""
    kind = image_kind(data)
    if kind not in TAKEN:
        raise Problem(415, "image: should be a JPEG, PNG or WebP")
    header = read_header(data)
    if header is None:
        raise Problem(422, f"image: a broken {kind.upper()}: it does not tell its size")
    if header.pixels > most_pixels or max(header.width, header.height) > LONGEST_SIDE:
        raise Problem(
            413,
            f"image: {header.width}x{header.height} pixels; at most {most_pixels / 1e6:g} million are taken, "
            f"and {LONGEST_SIDE} a side",
        )
    return header
