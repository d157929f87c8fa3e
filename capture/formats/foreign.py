"""Formats of pictures that are not read, told by their first bytes, and how to convert them."""

from __future__ import annotations

from dataclasses import dataclass

HEAD_BYTES = 64
"""Enough for the brands of a HEIC or AVIF file."""
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})


@dataclass(frozen=True, slots=True)
class ForeignFormat:
    """A format of pictures that is known but not read."""

    name: str
    cure: str

    @property
    def refusal(self) -> str:
        """Wants the file's name before it."""
        return f"is a {self.name} picture, which cannot be read; {self.cure}"


_HEIC = ForeignFormat(
    "HEIC",
    "convert it to JPEG (heif-convert IN OUT.jpg), and on an iPhone choose Settings, Camera, Formats, "
    "Most Compatible",
)
_AVIF = ForeignFormat("AVIF", "convert it to JPEG (ffmpeg -i IN OUT.jpg)")
_RAW = ForeignFormat("raw", "save it as JPEG with the camera's program")
_STARTS = {
    b"II*\0": ForeignFormat("TIFF", "convert it to JPEG (ffmpeg -i IN OUT.jpg)"),
    b"MM\0*": ForeignFormat("TIFF", "convert it to JPEG (ffmpeg -i IN OUT.jpg)"),
    b"\xff\x0a": ForeignFormat("JPEG XL", "convert it to JPEG (djxl IN OUT.jpg)"),
    b"\0\0\0\x0cJXL ": ForeignFormat("JPEG XL", "convert it to JPEG (djxl IN OUT.jpg)"),
    b"\0\0\0\x0cjP  ": ForeignFormat("JPEG 2000", "convert it to JPEG (ffmpeg -i IN OUT.jpg)"),
    b"FUJIFILMCCD-RAW": _RAW,
    b"8BPS": ForeignFormat("Photoshop", "save it as JPEG"),
}


def foreign_format(head: bytes) -> ForeignFormat | None:
    """The format by the first `HEAD_BYTES` bytes; None if it is another, which may be readable."""
    if head[4:8] == b"ftyp":
        size = max(16, min(int.from_bytes(head[:4], "big"), len(head)))
        # The major brand, a version, the compatible brands (ISO/IEC 14496-12, 4.3); mif1 alone tells nothing.
        brands = {head[8:12], *(head[at : at + 4] for at in range(16, size, 4))}
        if brands & _AVIF_BRANDS:
            return _AVIF
        if head[8:12] in _HEIC_BRANDS:
            return _HEIC
        return _RAW if head[8:12] == b"crx " else None
    return next((found for start, found in _STARTS.items() if head.startswith(start)), None)
