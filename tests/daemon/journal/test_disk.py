"""The journal on a disk that fills up, cannot be written or is torn away, and under `kill -9`."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from daemon.control.commands import JournalCommand
from daemon.core.messages import Say
from daemon.errors import CommandError
from daemon.journal.disk_health import MAX_RETRY_S, DiskHealth
from daemon.journal.paths import JournalPaths
from daemon.journal.reader import reading
from daemon.journal.schema import open_writer
from daemon.journal.store import JournalStore
from tests.daemon.journal.writing import WALL_S, Diary, diary, until


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of eight megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here (needs root): {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Take all the room there is."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return filler


def said(places: JournalPaths) -> list[str]:
    with reading(places) as reader:
        page = reader.page(JournalCommand(kinds=("speak",), limit=500))
    return [event["text"] for event in reversed(page["events"])]


def test_a_full_disk_is_told_and_when_there_is_room_again_everything_is_there(small_disk: Path) -> None:
    with diary(small_disk) as it:
        assert it.heard("ok")
        it.tell(Say("before"))
        it.settle()
        filler = fill(small_disk)
        sentences = [f"sentence {n} {'x' * 900}" for n in range(30)]
        for sentence in sentences:
            it.tell(Say(sentence))
        it.watch(1, fire=0.9)
        assert it.heard("full").component == "disk"
        assert it.clerk.status()["disk"] == "full"
        filler.unlink()
        assert it.heard("ok")
    assert it.clerk.dropped == 0
    assert said(it.places) == ["before", *sentences, "Stop! fire."]
    with closing(open_writer(it.places.database)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_on_a_full_disk_one_can_still_forget_and_that_makes_room(small_disk: Path) -> None:
    with diary(small_disk) as it:
        for number in range(300):
            it.tell(Say(f"sentence {number} {'x' * 900}"))
        it.settle()
        fill(small_disk)
        it.tell(Say("too much " * 100))
        it.heard("full")
        assert it.clerk.purge(None)["events"] == 300
        assert it.heard("ok")
        it.tell(Say("there is room again"))
    assert said(it.places) == ["there is room again"]  # what waited is forgotten with the rest


def test_files_that_may_not_grow_are_told_too(tmp_path: Path) -> None:
    """What can be tried without root: a limit on the size of this process's files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with diary(tmp_path) as it:
        it.tell(Say("before"))
        it.settle()
        resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, hard))
        try:
            for number in range(60):
                it.tell(Say(f"sentence {number} {'x' * 900}"))
            assert it.heard("failed").component == "disk"
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert it.heard("ok")
    assert len(said(it.places)) == 61


def test_room_is_left_to_others(tmp_path: Path) -> None:
    with diary(tmp_path, leave_free_mb=1_000_000) as it:
        it.tell(Say("hello"))
        report = it.heard("full")
        assert "are left to others" in report.detail


def test_a_folder_that_cannot_be_written_is_told_and_mended(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("a file in the way")
    with diary(tmp_path) as it:
        it.tell(Say("hello"))
        assert it.heard("failed")
        (tmp_path / "journal").unlink()
        assert it.heard("ok")
    assert said(it.places) == ["hello"]


def test_a_journal_that_is_torn_to_pieces_while_it_is_written_is_begun_anew(tmp_path: Path) -> None:
    with diary(tmp_path) as it:
        for number in range(3000):  # more than is held in memory
            it.tell(Say(f"sentence {number} {'x' * 900}"))
            if number % 100 == 0:
                until(lambda: it.clerk.status()["waiting"] < 100)
        it.settle()
        database = it.places.database
        for file in (database, database.with_name("journal.db-wal")):
            with file.open("r+b") as stream:
                stream.write(os.urandom(file.stat().st_size))
        with pytest.raises(CommandError, match="cannot forget now"):
            it.clerk.purge(WALL_S + 1000)
        assert it.heard("lost")
        assert it.heard("ok")
        it.tell(Say("the last"))
    assert said(it.places)[-1] == "the last"


def test_two_do_not_write_the_same_journal(tmp_path: Path) -> None:
    with diary(tmp_path) as it:
        it.heard("ok")
        with pytest.raises(CommandError, match=r"another watchword \(process \d+\) writes"):
            Diary(tmp_path).clerk.run()


def test_waits_grow_and_recovery_is_told_once() -> None:
    sense = DiskHealth()
    assert sense.on_success() is None
    waits = []
    for _ in range(9):
        sense.on_failure(OSError(28, "No space left on device"))
        waits.append(sense.wait_s)
    assert waits[0] < waits[1] < waits[-1] == MAX_RETRY_S
    assert sense.failures == 1
    assert sense.on_success() is not None
    assert sense.on_success() is None


def test_killed_at_any_moment_what_was_written_is_there(tmp_path: Path) -> None:
    """Three times in a row, so that what is left is written on; only what nobody was told of may be gone."""
    places = JournalPaths(tmp_path / "journal")
    told = -1
    for lines in (1, 150, 400):
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.daemon.journal.writing", str(places.folder), str(told + 1)],
            cwd=Path(__file__).parents[3],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        for _ in range(lines):
            told = int(child.stdout.readline())
        child.kill()
        rest = child.stdout.read().split()
        child.wait(10)
        told = int(rest[-1]) if rest else told
        with reading(places) as reader:
            newest = reader.page(JournalCommand(limit=2))["events"]
            assert int(newest[0]["t"]) in (told, told + 1)
            assert len(reader.picture(newest[0]["row"])[0]) == 2002
        told = int(newest[0]["t"])
    store = JournalStore(places, "after", WALL_S, {})
    assert store.query_number("SELECT count(*) FROM events") == told + 1
    assert store.query_number("SELECT count(*) FROM pictures") == told + 1
    assert len(list(places.pictures.iterdir())) == told + 1
    assert store.database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    store.close()
