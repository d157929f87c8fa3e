"""Finds the control socket: in the unit's runtime folder, else the user's, else the state folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from daemon.paths import NAME

SYSTEM = Path("/run") / NAME
SUFFIX = ".sock"


def server_socket(env: Mapping[str, str], state: Path, instance: str = "") -> Path:
    """The path at which a daemon listens; the folder need not exist."""
    return next(_own(env), state) / _file(instance)


def client_sockets(env: Mapping[str, str], instance: str = "") -> Iterator[Path]:
    """Paths at which a daemon may listen, likeliest first, as far as they are known without settings."""
    # `fromkeys`: in a unit both can be the same folder.
    for folder in dict.fromkeys((*_own(env), SYSTEM)):
        yield folder / _file(instance)


def state_socket(state: Path, instance: str = "") -> Path:
    """The path of a daemon that had no runtime folder."""
    return state / _file(instance)


def instances(folder: Path) -> tuple[str, ...]:
    """Names of the sockets in a folder, running or not; the one without a name left out."""
    return tuple(sorted(p.stem for p in folder.glob(f"*{SUFFIX}") if p.name != _file("")))


def _file(instance: str) -> str:
    return f"{instance or NAME}{SUFFIX}"


def _own(env: Mapping[str, str]) -> Iterator[Path]:
    # systemd.exec(5): several folders are separated by colons.
    if unit := env.get("RUNTIME_DIRECTORY", "").split(":")[0]:
        yield Path(unit)
    # A relative XDG_RUNTIME_DIR is to be ignored (XDG Base Directory Specification).
    user = Path(env.get("XDG_RUNTIME_DIR", ""))
    if user.is_absolute():
        yield user / NAME
