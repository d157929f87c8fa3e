"""Files that a command writes because an option names them."""

from __future__ import annotations

from pathlib import Path

from daemon.errors import CommandError


def require_writable(option: str, path: Path | None) -> None:
    """Fail before the long work; an existing file keeps its content. Raises CommandError."""
    if path is None:
        return
    there = path.exists()
    try:
        # "a" and not "w": an existing file must not lose its content to a check.
        with path.open("a", encoding="utf-8"):
            pass
        if not there:
            path.unlink()
    except OSError as error:
        raise CommandError(f"{option} {path}: cannot be written: {error.strerror}") from error


def write(option: str, path: Path, text: str) -> None:
    """Write the file that `option` names. Raises CommandError."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{option} {path}: cannot be written: {error.strerror}") from error
