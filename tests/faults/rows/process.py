"""What happens to the process, its children, its clock and its memory."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import resource
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

from daemon.control.commands import FasterCommand, MuteCommand, SayCommand, SlowerCommand
from tests.faults.fault import Check, Fault, Row, any_of, danger, health, nothing, said
from tests.faults.waiting import ROOT
from tests.faults.world import World

DAY_S = 86_400


def _stop_and_go(world: World) -> None:
    world.living.signal(signal.SIGSTOP)
    time.sleep(31)
    world.living.signal(signal.SIGCONT)


def _stop_all_and_go(world: World) -> None:
    """As in a suspend."""
    pids = [world.living.process.pid, *world.living.children()]
    for number in (signal.SIGSTOP, signal.SIGCONT):
        for pid in pids:
            # A child that only asked for something may have ended meanwhile.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if number == signal.SIGSTOP:
            time.sleep(31)


def _kill_children(world: World) -> None:
    for pid in world.living.children():
        os.kill(pid, signal.SIGKILL)


def _second_daemon(world: World) -> str:
    def prepare(home: Path) -> None:
        (home / "environment").write_text(f"WATCHWORD_PATHS__STATE={world.state}")

    code, _, log = world.run_broken(prepare, 60)
    assert code == 1 and f"process {world.living.process.pid}" in log, log
    # Not by the ear at the sink: the first one may have something to say meanwhile.
    assert not (world.state / "last_words").exists(), "it said that nothing is watching, but the first one is"
    return "refused with the holder's process id"


def _wearer_twice(world: World) -> str:
    after = world.living.heard
    for by in ("home", "home", "page", "page", "home", "keys"):
        world.living.ask(MuteCommand(seconds=60, by=by))
        assert world.living.status()["danger_muted_s"] == 0, f"danger was silenced by {by}"
    world.living.ask(MuteCommand(seconds=60, by="keys"))
    assert world.living.status()["danger_muted_s"] > 0
    world.living.ask(MuteCommand(seconds=0, by="keys"))
    assert world.living.heard > after
    return "home automation and page twice, and one press: danger is said; two presses: silent"


def _escapes(world: World) -> str:
    """Control characters in what is said reach neither terminal nor log."""
    world.living.ask(SayCommand(text="A\x1b[2J\x07\x9b31m\u202e\nWARNING forged"))
    time.sleep(2)
    raw = [character for character in map(chr, (*range(32), *range(127, 160), 0x202E)) if character != "\n"]
    for words in (["journal"], ["journal", "--json"], ["status", "--json"], ["why"], ["why", "--json"]):
        command = [sys.executable, "-m", "daemon.cli.main", *words]
        done = subprocess.run(
            command, cwd=ROOT, env=world.living.env, capture_output=True, text=True, timeout=60, check=False
        )
        found = [character for character in raw if character in done.stdout + done.stderr]
        assert not found, f"{words}: {found}"
    log = world.living.log.read_text()
    assert not [character for character in raw if character in log], "raw in the log"
    assert not any(line.startswith("WARNING forged") for line in log.splitlines())
    return "none of them raw in log, journal, why and status, nor in their --json"


def _permissions(world: World) -> str:
    files = [*world.state.rglob("*"), *world.living.socket.parent.rglob("*"), *world.cache.rglob("*")]
    open_to_others = [str(path) for path in files if path.lstat().st_mode & 0o077 and not path.is_symlink()]
    assert not open_to_others, open_to_others
    return f"{len(files)} files and folders, none open to others"


def _ends_while_it_speaks(world: World) -> str:
    world.living.ask(
        SayCommand(text="This sentence is long enough that it is being said when the end comes.")
    )
    world.living.await_event("speak")
    world.living.signal(signal.SIGTERM)
    began_s = time.monotonic()
    code = world.living.ended(15)
    took_s = time.monotonic() - began_s
    world.living.start()
    assert world.await_danger(40) is not None, "no danger was said after the start"
    assert code == 0, code
    return f"ended within {took_s:.1f} s"


def _ends_while_it_starts(world: World) -> str:
    world.living.process.kill()
    world.living.process.wait(10)
    for delay_s in (0.1, 0.5, 1.0, 2.0, 4.0):
        process = world.living.spawn()
        time.sleep(delay_s)
        process.send_signal(signal.SIGTERM)
        code = process.wait(15)
        assert code in (0, -signal.SIGTERM), f"{code} after {delay_s} s"
    world.living.start()
    assert world.await_danger(40) is not None, "no danger was said after the start"
    return "5 times, each ended within 15 s"


def _clock_leaps(world: World) -> str:
    """The clock leaps ahead by a month and back, while it runs and at a start: nothing is forgotten."""
    before = events(world.state)
    for offset_s in (30 * DAY_S, -30 * DAY_S, 3650 * DAY_S, 0):
        world.set_clock(offset_s)
        assert world.await_danger(20) is not None, f"no danger was said, the clock off by {offset_s} s"
        assert events(world.state) >= before
    world.living.process.kill()
    world.living.process.wait(10)
    world.set_clock(30 * DAY_S)
    world.living.start()
    assert world.await_danger(40) is not None, "no danger was said after the start"
    time.sleep(10)
    after = events(world.state)
    world.set_clock(0)
    assert after >= before, f"{before} events before, {after} after"
    return f"{after} events, none of the {before} forgotten"


def events(state: Path) -> int:
    """How many the journal holds, read as a stranger does."""
    code = (
        "import sys; from pathlib import Path; from daemon.journal.reader import reading; "
        "from daemon.journal.paths import JournalPaths\n"
        "with reading(JournalPaths.in_state(Path(sys.argv[1]))) as r: print(sum(r.counts().values()))"
    )
    command = [sys.executable, "-c", code, str(state)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def _fingerprint(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.exists() else []
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def _kill_nine(world: World) -> str:
    """kill -9 at any moment, while settings change and events are written; the next start finds all intact.

    Phrases are right if the start after it says a danger from those on disk.
    """
    chance = random.Random(17)
    kept = [world.state / "calibration", world.state / "taught", world.state / "lessons"]
    logged = len(world.living.log.read_text())
    before, counts = [_fingerprint(folder) for folder in kept], []
    for _ in range(int(os.environ.get("WATCHWORD_KILLS", "5"))):
        until_s = time.monotonic() + chance.uniform(0, 2)
        while time.monotonic() < until_s:
            world.living.ask(FasterCommand())
            world.living.ask(SlowerCommand())
        world.living.ask(MuteCommand(seconds=600, by="home"))
        world.living.process.kill()
        world.living.process.wait(10)
        overrides = world.state / "overrides.toml"
        assert not overrides.exists() or tomllib.loads(overrides.read_text())["speech"]["rate_wpm"]
        assert [_fingerprint(folder) for folder in kept] == before, "lessons or calibration have changed"
        counts.append(events(world.state))
        started = world.living.spawn()  # and once amid a start
        time.sleep(chance.uniform(0, 3))
        started.kill()
        started.wait(10)
        world.living.start()
        assert world.await_danger(40) is not None, "no danger was said after the start"
        status = world.living.status()
        assert status["muted_s"] > 500 and not status["danger_muted_s"], "the mute was forgotten"
        world.living.ask(MuteCommand(seconds=0, by="home"))
    assert counts == sorted(counts), counts
    log = world.living.log.read_text()[logged:]
    assert "Traceback" not in log, log[-3000:]
    how = f"{2 * len(counts)} times: settings, lessons, calibration and mutes intact"
    return f"{how}, {counts[-1]} events, danger said again"


def _squeeze(world: World, more_bytes: int) -> str:
    pid = world.living.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_AS)
    used = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
    resource.prlimit(pid, resource.RLIMIT_AS, (used + more_bytes, before[1]))
    time.sleep(15)
    resource.prlimit(pid, resource.RLIMIT_AS, before)
    assert world.living.process.poll() is None, world.living.log.read_text()[-3000:]
    recovered_s = world.await_danger(20)
    assert recovered_s is not None, "no danger was said afterwards"
    return f"15 s; a danger is said {recovered_s:.1f} s later"


def _starve(world: World) -> None:
    world.busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(8)]


def _feed(world: World) -> None:
    for program in world.busy:
        program.kill()
        program.wait()


ROWS: tuple[Row, ...] = (
    Fault("process: stopped for 31 s", _stop_and_go, nothing, said("I was away"), limit_s=36.0),
    Fault("process: all stopped for 31 s", _stop_all_and_go, nothing, said("I was away"), limit_s=36.0),
    Fault("process: every child killed", _kill_children, nothing, None),
    Fault("processor: 8 busy programs", _starve, _feed, any_of(danger, health("detector")), limit_s=15.0),
    Check("memory: 20 MB more and no more", lambda w: _squeeze(w, 20 << 20)),
    Check("memory: 4 MB more and no more", lambda w: _squeeze(w, 4 << 20)),
    Check("process: a second daemon on the same state", _second_daemon, True),
    Check("wearer: silence asked for twice", _wearer_twice, True),
    Check("files: written under umask 000", _permissions, True),
    Check("terminal: escape sequences in what is said", _escapes),
    Check("clock: leaps by a month, and ten years", _clock_leaps),
    Check("process: SIGTERM while it speaks", _ends_while_it_speaks),
    Check("process: SIGTERM while it starts", _ends_while_it_starts),
    Check("process: kill -9 at random moments", _kill_nine),
)
