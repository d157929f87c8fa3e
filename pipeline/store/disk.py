"""Files on a disk that may be full, read-only or cut off in the middle."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.progress import readable_size
from pipeline.store.errors import StoreUnusableError

SPARE_BYTES = 16 << 20
"""Left free beyond what a pull needs; a disk filled to the brim breaks other things."""


def free_bytes(folder: Path) -> int:
    """Bytes that may still be written below the folder, or below its nearest existing parent."""
    # The store's folder may not have been made yet; the root of the file system always exists.
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def require_room(root: Path, needed: int, free: int) -> None:
    """Raises StoreUnusableError if `needed` bytes and a spare do not fit into `free` bytes."""
    if free < needed + SPARE_BYTES:
        raise StoreUnusableError(
            f"not enough room in {root}: {readable_size(needed + SPARE_BYTES)} needed, "
            f"{readable_size(free)} free; make room or set paths.models to another disk"
        )


@contextmanager
def store_faults(root: Path) -> Iterator[None]:
    """Turn an error of the file system into one line with the cure."""
    try:
        yield
    except OSError as error:
        raise StoreUnusableError(_advice(root, error)) from error


def _advice(root: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"the disk is full under {root}; make room or set paths.models to another disk"
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return f"{root} is not a folder and cannot hold models; set paths.models to a folder"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        why = f"{root} cannot be written ({error.strerror})"
        return f"{why}; give this user the right or set paths.models to another folder"
    return f"the model store {root} failed: {error}"
