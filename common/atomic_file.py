"""Files replaced whole: a full disk, a kill or a power cut leaves the old content or the new one."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from common.files import sync, sync_folder

SUFFIX = ".part"
"""Files end in this until they are complete; a crash can leave one behind, hidden beside its target."""


def write(path: Path, content: bytes | str, *, mode: int = 0o666, durable: bool = True) -> None:
    """Replace `path` by a file with this content; text is written as UTF-8. Raises OSError.

    An existing file keeps its access mode; a new one gets `mode` less the umask. With `durable`, content and
    name are on the disk when this returns. Without, a power cut can lose the file or leave an empty one: only
    for caches whose reader detects that, written by the hundred.
    """
    with replacing(path, mode=mode, durable=durable) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def replacing(path: Path, *, mode: int = 0o666, durable: bool = True) -> Iterator[IO[bytes]]:
    """A new file to write to, which takes the place of `path` when the block ends without an exception.

    Arguments and errors as in `write`.
    """
    part, file = _create(path, mode)
    try:
        with file:
            yield file
            if durable:
                sync(file)
        part.replace(path)
    # Also on KeyboardInterrupt: a half-written part must not stay beside its target.
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def stage(path: Path, content: bytes) -> Path:
    """Write the content beside `path`, on the disk when this returns; `commit` puts it in place.

    Raises OSError.
    """
    part, file = _create(path, 0o666)
    try:
        with file:
            file.write(content)
            sync(file)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    return part


def commit(part: Path, path: Path) -> None:
    """Put a staged file in place. Raises OSError and deletes the staged file if it cannot."""
    try:
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _create(path: Path, mode: int) -> tuple[Path, IO[bytes]]:
    # A random name: two processes may write the same file at once, and the last to finish shall win whole.
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}{SUFFIX}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with suppress(FileNotFoundError):
        # A key file that its owner closed to others must stay closed after it is rewritten.
        os.fchmod(handle, stat.S_IMODE(path.stat().st_mode))
    return part, open(handle, "wb")  # noqa: PTH123 - a descriptor, for its access mode
