"""Synchronises, replaces, measures and deletes files and folders, on a disk that may lose power."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from pathlib import Path
from typing import IO

CHUNK = 1 << 20
"""Bytes read at a time while copying."""


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy_measured(source: IO[bytes], target: Path, limit: int) -> tuple[str, int]:
    """Stream into a new file, and read at most one byte over `limit`. Return (sha256, bytes written)."""
    digest, written = hashlib.sha256(), 0
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        # One byte over the limit is enough to know that it is exceeded, whatever the source claims as its
        # size.
        while block := source.read(min(CHUNK, limit + 1 - written)):
            digest.update(block)
            written += file.write(block)
        sync(file)
    return digest.hexdigest(), written


def move(source: Path, target: Path) -> None:
    """Rename a file on the same disk, or copy it from another. Its bytes are on the disk afterwards."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        source.rename(target)
    except OSError as error:
        # Only another disk is a reason to copy; any other failure would hit the copy as well.
        if error.errno != errno.EXDEV:
            raise
        shutil.copyfile(source, target)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def write_synced(path: Path, text: str) -> None:
    """Write a new text file that survives a power cut once this returns."""
    with path.open("xb") as file:
        file.write(text.encode())
        sync(file)


def sync(file: IO[bytes]) -> None:
    """Write the file's bytes to the disk, not only into memory."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Write the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def tree_bytes(folder: Path) -> int:
    """Bytes of all files below a folder that may change meanwhile."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size  # noqa: PTH118 (hot, many files)
            # Deleted between the listing and this call, which is expected of a folder in use.
            except FileNotFoundError:
                continue
    return total


def replace_folder(new: Path, place: Path, aside: Path) -> None:
    """Move a finished folder to its place. An old one is moved aside first and then deleted.

    A kill between the two renames leaves the place empty, never with half a folder.
    """
    if place.exists() or place.is_symlink():
        place.rename(aside)
    new.rename(place)
    sync_folder(place.parent)
    delete(aside)


def delete(path: Path) -> None:
    """Delete a file or folder if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
