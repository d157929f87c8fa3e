"""`watchword journal mark`: with a running daemon, and on the files alone."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from daemon.cli.main import main
from daemon.control import protocol as wire
from daemon.control.event_feed import EventFeed
from daemon.control.paths import server_socket
from daemon.control.server import ControlServer
from daemon.journal.paths import JournalPaths
from daemon.journal.pictures import KeptPicture
from daemon.journal.rows import JournalRow
from daemon.journal.store import JournalStore
from pipeline.evaluation.dataset import read_dataset
from pipeline.hazards import builtin_hazards
from tests.daemon.journal.writing import offline_handlers

WALL_S = 1_790_000_000.0
PATIENCE_S = 20.0
HAZARDS = ("fire", "dog")

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The state folder of nobody else, with a path that leaves room for a socket's name."""
    with tempfile.TemporaryDirectory(prefix="ww") as name:
        for variable in ("WATCHWORD_CONFIG", "RUNTIME_DIRECTORY"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv("HOME", name)
        monkeypatch.setenv("XDG_RUNTIME_DIR", name)
        monkeypatch.chdir(name)
        yield Path(name)


@pytest.fixture
def journal(folder: Path) -> JournalPaths:
    """Three alerts (the second without a picture, the third with a pixelated one) and a description."""
    paths = JournalPaths.in_state(folder)
    store = JournalStore(paths, "r1", WALL_S, {})
    pictures = (KeptPicture(b"a", False, 1), None, KeptPicture(b"b", True, 2), KeptPicture(b"c", False, 3))
    for number, (kind, picture) in enumerate(zip(("alert",) * 3 + ("describe",), pictures, strict=True)):
        event = {"id": f"a{number}", "kind": kind, "hazard": "fire", "severity": "critical", "t": 1.0}
        store.write([JournalRow(WALL_S, {**event, "cause": None}, picture=picture)])
    store.close()
    return paths


@pytest.fixture
def watchword(folder: Path, journal: JournalPaths, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `watchword journal`; returns its exit code and its output."""

    def run(*args: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main(["-o", f"paths.state={folder}", "journal", *args])
        written = capsys.readouterr()
        return code, written.out + written.err

    return run


@pytest.fixture
def daemon(folder: Path, journal: JournalPaths) -> Iterator[None]:
    """A daemon that answers questions about the journal and holds its lock."""

    known = offline_handlers(journal, HAZARDS)

    def answer(request: wire.Request) -> dict[str, Any]:
        return dict(known[request.command.do](request.command))

    socket = server_socket({"XDG_RUNTIME_DIR": str(folder)}, folder, "")
    server = ControlServer(socket, answer, EventFeed())
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        with journal.lock():
            yield
    finally:
        server.close()
        thread.join(PATIENCE_S)


def check_marking(watchword: Run, journal: JournalPaths) -> None:
    file = str(journal.marks / "marks.csv")
    code, told = watchword("mark", "#1", "wrong")
    assert (code, told) == (
        0,
        f"#1: marked as wrong; `watchword calibrate FOOTAGE --labelled {file}` learns from it\n",
    )
    labelled = read_dataset(Path(file), builtin_hazards()).pictures
    assert [(one.labels, one.path.read_bytes()) for one in labelled] == [(("safe",), b"a")]
    code, told = watchword("mark", "1", "right", "--json")
    assert (code, json.loads(told)) == (0, {"row": 1, "mark": "true", "file": file})
    assert json.loads(watchword("--json", "mark", "1", "right")[1])["mark"] == "true"
    code, told = watchword("--kind", "alert")
    assert [line.rpartition("  ")[2] for line in told.splitlines()] == [
        "[picture, marked as right]",
        "fire (critical, 0.00)",
        "[picture]",
    ]
    events = [json.loads(line) for line in watchword("--json")[1].splitlines()]
    assert [event.get("mark") for event in events] == ["true", None, None, None]
    (journal.pictures / next(journal.pictures.iterdir()).name).unlink()  # as retention does
    assert watchword("mark", "1", "none") == (0, "#1: not marked\n")
    assert "marked" not in watchword()[1]
    assert not Path(file).exists()


def check_mistakes(watchword: Run, journal: JournalPaths) -> None:
    for row, why in (
        ("2", "#2: no picture is kept with it"),
        ("3", "#3: its picture is pixelated"),
        ("4", "#4: is no alert; only alerts can be marked"),
        ("99", "#99: not in the journal; `watchword journal` shows what is"),
    ):
        code, told = watchword("mark", row, "wrong")
        assert (code, why in told) == (1, True), told
    assert not journal.marks.exists()


@pytest.mark.usefixtures("daemon")
def test_an_alert_is_marked_while_the_daemon_runs(watchword: Run, journal: JournalPaths) -> None:
    check_mistakes(watchword, journal)
    check_marking(watchword, journal)


def test_an_alert_is_marked_while_no_daemon_runs(watchword: Run, journal: JournalPaths) -> None:
    check_mistakes(watchword, journal)
    check_marking(watchword, journal)


@pytest.mark.usefixtures("daemon")
def test_the_files_are_not_changed_behind_a_daemon(watchword: Run, journal: JournalPaths) -> None:
    code, told = watchword("--offline", "mark", "1", "wrong")
    assert (code, "writes the journal in" in told) == (1, True)
    assert not journal.marks.exists()


def test_without_a_journal_none_is_begun(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-o", f"paths.state={folder}", "journal", "mark", "1", "wrong"]) == 1
    assert "there is no journal" in capsys.readouterr().err
    assert not (folder / "journal").exists()


@pytest.mark.parametrize("args", [("one", "wrong"), ("1" * 5000, "wrong"), ("1", "perhaps"), ("1",)])
def test_a_mark_needs_a_number_and_a_known_verdict(watchword: Run, args: tuple[str, ...]) -> None:
    try:
        code, told = watchword("mark", *args)
    except SystemExit as exit:  # the parser's
        code, told = int(str(exit.code)), ""
    assert (code, "a bug" in told) == (2, False)


def test_the_messages_are_korean_if_the_locale_is(watchword: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    code, printed = watchword("--offline", "mark", "#1", "wrong")
    assert code == 0 and "표시: 잘못된 경고" in printed
    _, printed = watchword("--offline", "--kind", "alert")
    assert "[사진, 표시: 잘못된 경고]" in printed
    assert watchword("--offline", "--kind", "health")[1] == "해당하는 기록이 없습니다\n"
    _, printed = watchword("--offline", "purge", "--all", "--yes")
    assert printed.startswith("지움: 기록 ") and "사진 " in printed
