"""A small file replaced so that a full disk, a kill or a power cut leaves the old one or the new one."""

from __future__ import annotations

from pathlib import Path

from common.files import sync, sync_folder


def stage(path: Path, content: bytes) -> Path:
    """The content in a file beside `path`, on the disk; `commit` puts it in place. Raises OSError."""
    part = path.with_suffix(".part")
    try:
        with part.open("wb") as file:
            file.write(content)
            sync(file)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    return part


def commit(part: Path, path: Path) -> None:
    """Raises OSError, and leaves no part then."""
    try:
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write(path: Path, content: bytes) -> None:
    """Both in one. Raises OSError; `path` is as before then."""
    commit(stage(path, content), path)
