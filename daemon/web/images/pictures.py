"""Limits on pictures from outside: kind and size, checked by the header before decoding. Pure."""

from __future__ import annotations

from common.image_header import ImageHeader, ImageKind, image_kind, read_header
from daemon.web.problems import Problem

LONGEST_SIDE = 20_000
ACCEPTED = (ImageKind.JPEG, ImageKind.PNG, ImageKind.WEBP)
TYPES = tuple(f"image/{kind}" for kind in ACCEPTED)


def measure(data: bytes, most_pixels: float) -> ImageHeader:
    """Read the header. Raises Problem if the kind is not supported, or the picture broken or too large."""
    kind = image_kind(data)
    if kind not in ACCEPTED:
        raise Problem(415, "image: should be a JPEG, PNG or WebP")
    header = read_header(data)
    if header is None:
        raise Problem(422, f"image: a broken {kind.upper()}: its size cannot be read")
    # By the header, before decoding: a small file can unpack into gigabytes.
    if header.pixels > most_pixels or max(header.width, header.height) > LONGEST_SIDE:
        raise Problem(
            413,
            f"image: {header.width}x{header.height} pixels; the limits are {most_pixels / 1e6:g} million "
            f"and {LONGEST_SIDE} a side",
        )
    return header
