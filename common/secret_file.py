"""Reads passwords and keys. They are never in config.toml, but in own files or systemd credentials."""

from __future__ import annotations

import os
from pathlib import Path

from common.errors import WatchwordError

LONGEST = 4096


class SecretError(WatchwordError):
    """The secret cannot be had; the message names the setting, never the secret."""


def secret_path(name: str) -> Path:
    """The path of a secret. A bare name means one of the service's systemd credentials (systemd.exec(5))."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    return Path(name) if os.sep in name else Path(folder, name)


def read_secret(setting: str, name: str) -> str:
    """The one line in a file. Raises SecretError."""
    try:
        with secret_path(name).open(encoding="utf-8") as file:
            secret = file.read(LONGEST + 1).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SecretError(f"{setting} = {name!r} cannot be read: {reason}") from None
    if not secret or len(secret) > LONGEST or not secret.isprintable():
        raise SecretError(f"{setting} = {name!r} holds no secret of one line")
    return secret
