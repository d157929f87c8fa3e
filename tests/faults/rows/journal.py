"""Faults of the journal, the state folder and its disk."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.faults.fault import Fault, NotHereError, Row, any_of, health, nothing, overwrite
from tests.faults.world import World

LOST = health("disk", "lost")
RUBBISH = os.urandom(200_000)


def _database(world: World) -> Path:
    return world.state / "journal/journal.db"


def _replace_by_folder(world: World) -> None:
    _database(world).unlink()
    _database(world).mkdir()


def _mount(*words: str | Path) -> None:
    done = subprocess.run(["mount", *map(str, words)], check=False, capture_output=True, text=True)
    if done.returncode:
        raise NotHereError(f"mount: {done.stderr.strip()} (it needs root)")


def _unmount(world: World) -> None:
    subprocess.run(["umount", "-l", str(world.state)], check=False, capture_output=True)


def _fill_disk(world: World) -> None:
    """A small disk over the state folder, and full."""
    _mount("-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", world.state)
    (world.state / "ballast").write_bytes(bytes(1 << 20))


def _make_read_only(world: World) -> None:
    _mount("--bind", world.state, world.state)
    _mount("-o", "remount,bind,ro", world.state)


ROWS: tuple[Row, ...] = (
    Fault("journal: database deleted", lambda w: _database(w).unlink(), nothing, LOST, True),
    Fault("journal: database replaced by a folder", _replace_by_folder, nothing, LOST),
    Fault("journal: database overwritten", lambda w: overwrite(_database(w), RUBBISH), nothing, LOST),
    Fault("journal: database emptied", lambda w: os.truncate(_database(w), 0), nothing, LOST),
    Fault("journal: folder deleted", lambda w: shutil.rmtree(w.state / "journal"), nothing, LOST),
    Fault("state: whole folder deleted", lambda w: shutil.rmtree(w.state), nothing, LOST),
    Fault("disk: full", _fill_disk, _unmount, health("disk"), limit_s=10.0),
    Fault("disk: read-only", _make_read_only, _unmount, any_of(health("disk")), limit_s=15.0),
    Fault("cache: whole folder deleted", lambda w: shutil.rmtree(w.cache), nothing, None),
)
