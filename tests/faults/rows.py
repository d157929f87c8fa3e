"""The faults: how each is injected, mended, and told of."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon.control.commands import HushCommand, MuteCommand
from tests.faults.world import ROOT, World, eventually

Event = dict[str, Any]
Told = Callable[[Event], bool]


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong in the running daemon, and is mended after it was told."""

    name: str
    inject: Callable[[World], None]
    mend: Callable[[World], None]
    told: Told | None = None
    """None: it need not be told, only survived."""
    short: bool = False
    """Part of the short run."""
    limit_s: float = 5.0
    """Seconds in which it is to be told."""


@dataclass(frozen=True)
class Check:
    """Something that is to hold; returns how it held, raises AssertionError if it does not."""

    name: str
    check: Callable[[World], str]
    short: bool = False


def health(component: str, *reasons: str) -> Told:
    """The event that a component fails."""
    return lambda event: (
        event["kind"] == "health"
        and event["component"] == component
        and (event["reason"] in reasons if reasons else event["state"] == "failing")
    )


def said(words: str) -> Told:
    """Words that are spoken."""
    return lambda event: event["kind"] == "speak" and words in event["text"]


def camera(mode: str, told: Told | None, *, short: bool = False, limit_s: float = 5.0) -> Fault:
    def inject(world: World) -> None:
        world.camera.mode = mode

    def mend(world: World) -> None:
        world.camera.mode = ""

    return Fault(f"camera: {mode}", inject, mend, told, short, limit_s)


def _nothing(_: World) -> None:
    pass


def _kill(module: str, number: signal.Signals) -> Callable[[World], None]:
    def kill(world: World) -> None:
        for pid in world.pids(module):
            os.kill(pid, number)

    return kill


def _database(world: World) -> Path:
    return world.state / "journal/journal.db"


def _replace_by_folder(world: World) -> None:
    _database(world).unlink()
    _database(world).mkdir()


def _overwrite_database(world: World) -> None:
    _database(world).write_bytes(RUBBISH)


def _stop_and_go(world: World) -> None:
    world.living.signal(signal.SIGSTOP)
    time.sleep(31)
    world.living.signal(signal.SIGCONT)


def _remove_runtime(world: World) -> None:
    shutil.rmtree(world.living.socket.parent)


def _await_socket(world: World) -> None:
    assert eventually(world.living.socket.exists, 5), "the socket is not there again"


def _break_settings(world: World) -> None:
    world.living.config.write_text(world.living.config.read_text() + "\n[speech2]\nx = 1\n")
    world.living.signal(signal.SIGHUP)


def _mend_settings(world: World) -> None:
    text = world.living.config.read_text().partition("\n[speech2]")[0]
    world.living.config.write_text(text)
    world.living.signal(signal.SIGHUP)


PLAYER = "speech.playback.player_worker"
RUBBISH = os.urandom(200_000)

FAULTS: tuple[Fault, ...] = (
    Fault(
        "camera: its server dies, and comes back",
        lambda w: w.camera.shut(),
        lambda w: w.camera.open(),
        health("camera", "lost"),
        short=True,
    ),
    camera("stalls", health("camera", "lost")),
    camera("half pictures", health("picture", "broken"), short=True),
    camera("noise", health("picture", "noise"), short=True),
    camera("dark with noise", health("picture", "dark", "noise")),
    camera("black", health("picture", "dark")),
    camera("frozen", health("picture", "frozen"), limit_s=8.0),
    camera("random bytes", health("camera", "lost")),
    camera("length too large", None),
    camera("length too small", None),
    camera("a picture a second", health("picture", "slow"), limit_s=8.0),
    camera("a picture in 3.5 s", health("picture", "slow"), limit_s=15.0),
    Fault(
        "sound: sink suspended",
        lambda w: w.pactl("suspend-sink", "ear", "1"),
        lambda w: w.pactl("suspend-sink", "ear", "0"),
        health("loudspeaker"),
        short=True,
    ),
    Fault("sound: player killed", _kill(PLAYER, signal.SIGKILL), _nothing, None),
    Fault(
        "sound: player stopped", _kill(PLAYER, signal.SIGSTOP), _nothing, health("loudspeaker"), limit_s=8.0
    ),
    Fault(
        "journal: database deleted", lambda w: _database(w).unlink(), _nothing, health("disk", "lost"), True
    ),
    Fault("journal: database replaced by a folder", _replace_by_folder, _nothing, health("disk", "lost")),
    Fault(
        "journal: database overwritten",
        _overwrite_database,
        _nothing,
        health("disk", "lost"),
    ),
    Fault("control: runtime folder removed", _remove_runtime, _await_socket, None, True),
    Fault("settings: a mistake, SIGHUP", _break_settings, _mend_settings, said("Nothing changed")),
    Fault("process: stopped for 31 s", _stop_and_go, _nothing, said("I was away"), limit_s=36.0),
)


def _trickling(world: World) -> str:
    """20 connections send a byte now and then; the wearer asks for silence meanwhile."""
    links = []
    for _ in range(20):
        link = socket.socket(socket.AF_UNIX)
        link.connect(str(world.living.socket))
        link.send(b"{")
        links.append(link)
    began_s = time.monotonic()
    for _ in range(10):
        world.living.ask(HushCommand())
        for link in links:
            with contextlib.suppress(OSError):
                link.send(b" ")
        time.sleep(0.2)
    for link in links:
        link.close()
    return f"hush answered 10 of 10 within {time.monotonic() - began_s:.1f} s"


def _second_daemon(world: World) -> str:
    def prepare(home: Path) -> None:
        (home / "environment").write_text(f"WATCHWORD_PATHS__STATE={world.state}")

    code, heard, log = world.run_broken(prepare, 30)
    assert code == 1 and f"process {world.living.process.pid}" in log, log
    assert not heard, "it said that nothing is watching, but the first one is"
    return "refused with the holder's process id"


def _wearer_twice(world: World) -> str:
    after = world.living.heard
    world.living.ask(MuteCommand(seconds=60, by="home"))
    world.living.ask(MuteCommand(seconds=60, by="keys"))
    assert world.living.status()["danger_muted_s"] == 0
    world.living.ask(MuteCommand(seconds=60, by="keys"))
    assert world.living.status()["danger_muted_s"] > 0
    world.living.ask(MuteCommand(seconds=0, by="keys"))
    assert world.living.heard > after
    return "home automation and one press: danger is said; two presses: silent"


def _permissions(world: World) -> str:
    files = [*world.state.rglob("*"), *world.living.socket.parent.rglob("*")]
    open_to_others = [str(path) for path in files if path.lstat().st_mode & 0o077]
    assert not open_to_others, open_to_others
    return f"{len(files)} files and folders, none open to others"


def _start(breaks: Callable[[Path], None]) -> Callable[[World], str]:
    def check(world: World) -> str:
        code, heard, log = world.run_broken(breaks, 60)
        assert code, "it did not fail"
        assert heard, f"nothing was heard:\n{log}"
        assert "Traceback" not in log, log
        return f"exit {code}, heard at the sink"

    return check


def _bad_settings(home: Path) -> None:
    (home / "config.toml").write_text("[speech]\nrate_wpm = 9999\n")


def _bad_overrides(home: Path) -> None:
    file = home / ".local/state/watchword/overrides.toml"
    file.parent.mkdir(parents=True)
    file.write_text("\0")


def _no_model(home: Path) -> None:
    (home / "environment").write_text(f"WATCHWORD_PATHS__MODELS={home}/none")


def _kill_nine(world: World) -> str:
    """kill -9 while it works; the next start finds everything intact."""
    code = (
        "import sys; from pathlib import Path; from daemon.journal.reader import reading; "
        "from daemon.journal.paths import JournalPaths\n"
        "with reading(JournalPaths.in_state(Path(sys.argv[1]))) as r: print(sum(r.counts().values()))"
    )
    counts = []
    for number in range(int(os.environ.get("WATCHWORD_KILLS", "3"))):
        world.living.process.kill()
        world.living.process.wait(10)
        done = subprocess.run(
            [sys.executable, "-c", code, str(world.state)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        counts.append(int(done.stdout))
        world.living.start()
        assert world.await_danger(40) is not None, "no danger was said after the start"
        time.sleep(0.7 * number % 3)
    assert counts == sorted(counts), counts
    return f"{len(counts)} times: journal readable with {counts[-1]} events, danger said again"


CHECKS: tuple[Check, ...] = (
    Check("control: 20 connections that trickle", _trickling, True),
    Check("process: a second daemon on the same state", _second_daemon, True),
    Check("wearer: silence asked for twice", _wearer_twice, True),
    Check("files: written under umask 000", _permissions, True),
    Check("start: settings out of range", _start(_bad_settings), True),
    Check("start: overrides that are no text", _start(_bad_overrides)),
    Check("start: no model", _start(_no_model)),
    Check("process: kill -9 at random moments", _kill_nine),
)

ALL: tuple[Fault | Check, ...] = (*FAULTS, *CHECKS)
