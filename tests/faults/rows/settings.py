"""Settings that cannot be taken, while it runs: SIGHUP after each."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

from daemon.control.commands import HushCommand
from tests.faults.fault import Check, Fault, Row, Told, danger, overwrite, said
from tests.faults.waiting import eventually
from tests.faults.world import SETTINGS, World

REFUSED = said("Nothing changed")


def _written(text: str | bytes) -> Callable[[Path], None]:
    data = text.encode() if isinstance(text, str) else text
    return lambda path: overwrite(path, data)


def _settings(
    name: str, write: Callable[[Path], None], told: Told | None = REFUSED, *, short: bool = False
) -> Fault:
    def clear(world: World) -> None:
        config = world.living.config
        config.rmdir() if config.is_dir() else config.unlink(missing_ok=True)

    def inject(world: World) -> None:
        clear(world)
        write(world.living.config)
        world.living.signal(signal.SIGHUP)

    def mend(world: World) -> None:
        clear(world)
        world.living.config.write_text(world.settings)
        world.living.signal(signal.SIGHUP)

    return Fault(f"settings: {name}, SIGHUP", inject, mend, told, short, limit_s=8.0)


def _fifo_then_end(world: World) -> str:
    """The main thread reads the settings, and the stop: neither may wait for the other."""
    config = world.living.config
    config.unlink()
    os.mkfifo(config)
    world.living.signal(signal.SIGHUP)
    world.living.ask(HushCommand())
    world.living.signal(signal.SIGTERM)
    code = world.living.ended(15)
    config.unlink()
    config.write_text(world.settings)
    world.living.start()
    assert world.await_danger(40) is not None, "no danger was said after the start"
    return f"ended with {code} within 15 s"


def _many_reloads(world: World) -> None:
    for _ in range(50):
        world.living.signal(signal.SIGHUP)


def _answers(world: World) -> None:
    assert eventually(lambda: bool(world.living.status()), 10)


ROWS: tuple[Row, ...] = (
    _settings("a mistake", _written(SETTINGS + "\n[speech2]\nx = 1\n"), short=True),
    _settings("no TOML", _written("[speech\nx =")),
    _settings("random bytes", _written(os.urandom(5000))),
    _settings("3 MB of wrong keys", _written("".join(f"key{n} = 1\n" for n in range(250_000)))),
    _settings("60 MB of comments", _written("# nothing at all to be seen here\n" * 1_800_000)),
    _settings("a line of 40 MB", _written('x = "' + "a" * 40_000_000 + '"')),
    _settings("nested 100000 deep", _written("x = " + "[" * 100_000 + "]" * 100_000)),
    _settings("a table nested 5000 deep", _written("[" + ".".join("a" * 5000) + "]\n")),
    _settings("a folder", lambda path: path.mkdir()),
    _settings("a FIFO", lambda path: os.mkfifo(path), short=True),
    _settings("a link to itself", lambda path: path.symlink_to(path.name)),
    _settings("/dev/zero", lambda path: path.symlink_to("/dev/zero")),
    _settings("deleted", lambda path: None),
    Fault("settings: 50 SIGHUPs at once", _many_reloads, _answers, danger, limit_s=10.0),
    Check("settings: a FIFO, SIGHUP, SIGTERM", _fifo_then_end),
)
