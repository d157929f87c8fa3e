"""Selects the pictures of a folder, and counts the files left out."""

from __future__ import annotations

import re
import stat
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from capture.camera import CameraUnusable
from capture.formats.foreign import HEAD_BYTES, foreign_format
from capture.image_file import PICTURE_SUFFIXES, explain_unreadable
from common.image_header import ImageKind, image_kind
from common.plain_text import escaped

_VIDEO_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ts", ".mts"})
_VIDEO_SUFFIXES |= {".m2ts", ".3gp", ".wmv", ".flv", ".mjpeg", ".mjpg"}
_BY_CONTENT = frozenset({ImageKind.JPEG, ImageKind.PNG, ImageKind.WEBP})
"""Kinds recognised by content and not by name. A BMP is not: its first two letters may begin a text too."""
_VIDEO = "video"


@dataclass(frozen=True, slots=True)
class FolderContent:
    """The pictures of a folder in natural order, and the number of other pictures and videos by format."""

    images: tuple[Path, ...]
    left_out: Mapping[str, int]

    @property
    def notice(self) -> str | None:
        """A message about the files left out, with the remedy; None if there are none."""
        if not self.left_out:
            return None
        counts = ", ".join(f"{count} {name}" for name, count in sorted(self.left_out.items()))
        cures = []
        if any(name != _VIDEO for name in self.left_out):
            cures.append("convert pictures to JPEG")
        if _VIDEO in self.left_out:
            cures.append("name a video by itself")
        total = sum(self.left_out.values())
        return f"{total} {'file was' if total == 1 else 'files were'} left out ({counts}); {', '.join(cures)}"


def list_folder(folder: Path) -> FolderContent:
    """The pictures of a folder, 2.jpg before 10.jpg, hidden files left out. Raises CameraUnusable."""
    try:
        entries = sorted(folder.iterdir(), key=lambda path: natural_key(path.name))
    except OSError as error:
        raise CameraUnusable(explain_unreadable(folder, error)) from error
    images: list[Path] = []
    left_out: Counter[str] = Counter()
    for path in entries:
        match _sort(path):
            case True:
                images.append(path)
            case str(name):
                left_out[name] += 1
    content = FolderContent(tuple(images), left_out)
    if not images:
        notice = f"; {content.notice}" if content.notice else ""
        raise CameraUnusable(
            f"{escaped(str(folder))} holds no pictures ({' '.join(sorted(PICTURE_SUFFIXES))}){notice}"
        )
    return content


def natural_key(name: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """A sort key that compares runs of digits by value and letters without case, then the exact spelling."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name.casefold())
    # The first element separates numbers from words: Python cannot compare an int with a str.
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts), name


def _sort(path: Path) -> bool | str:
    """True for a picture; the name of the format if the file is left out; False for any other file."""
    # macOS writes files such as ._1.jpg, which have the name of a picture but contain none.
    if path.name.startswith(".") or path.is_dir():
        return False
    suffix, head = path.suffix.lower(), _head(path)
    # Content before name: HEIC pictures are often renamed to .jpg, which does not convert them.
    if foreign := foreign_format(head):
        return foreign.name
    if suffix in _VIDEO_SUFFIXES:
        return _VIDEO
    return suffix in PICTURE_SUFFIXES or image_kind(head) in _BY_CONTENT


def _head(path: Path) -> bytes:
    """The first bytes of the file; empty if it cannot be read, which is reported when it is loaded."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return b""
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError:
        return b""
