"""Alerts that the user called right or wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from daemon.control.commands import JournalCommand, MarkCommand
from daemon.errors import CommandError
from daemon.journal.marks import MAX_MARKS, Marks
from daemon.journal.offline import purge
from daemon.journal.paths import JournalPaths
from daemon.journal.pictures import KeptPicture
from daemon.journal.rows import JournalRow
from daemon.journal.store import JournalStore
from pipeline.evaluation.dataset import read_dataset
from tests.daemon.journal.writing import offline_handlers

HAZARDS = ("fire", "dog", "vehicle")
WALL_S = 1_790_000_000.0


def event(id: str, hazard: str = "fire", kind: str = "alert") -> dict[str, Any]:
    return {"run": "r1", "id": id, "kind": kind, "hazard": hazard, "t": 1.0, "wall_s": WALL_S, "cause": None}


def test_marked_pictures_are_labelled_for_the_hazard_of_their_alert_alone(tmp_path: Path) -> None:
    marks = Marks(tmp_path / "marks")
    marks.put(event("a1", "fire"), "true", b"one", HAZARDS)
    marks.put(event("a2", "dog"), "true", b"two", HAZARDS)
    marks.put(event("a2", "dog"), "false", b"two", HAZARDS)  # on second thoughts
    marks.put(event("a3"), "true", b"three", HAZARDS)
    marks.put(event("a3"), "none", b"three", HAZARDS)
    assert marks.verdicts() == {("r1", "a1"): "true", ("r1", "a2"): "false"}
    found = read_dataset(marks.file, HAZARDS).pictures
    assert [(one.labels, one.uncertain, one.path.read_bytes()) for one in found] == [
        (("fire",), frozenset({"dog", "vehicle"}), b"one"),
        (("safe",), frozenset({"fire", "vehicle"}), b"two"),
    ]
    assert len({one.source for one in found}) == 1  # of one hour
    assert len(list(marks.file.parent.glob("*.jpg"))) == 2


def test_the_oldest_marks_go_first_and_purging_deletes_them(tmp_path: Path) -> None:
    marks = Marks(tmp_path / "marks")
    for number in range(3):
        marks.put(event(f"a{number}"), "true", b"x", HAZARDS)
        picture = marks.file.parent / f"r1-a{number}.jpg"
        os.utime(picture, (WALL_S + number, WALL_S + number))
    assert marks.forget(WALL_S + 1) == 1
    assert list(marks.verdicts()) == [("r1", "a1"), ("r1", "a2")]
    rows = marks.file.read_text().splitlines()
    many = [rows[1].replace("a1", f"b{number}") for number in range(MAX_MARKS)]
    marks.file.write_text("\n".join([rows[0], *many]) + "\n")
    marks.put(event("c"), "true", b"x", HAZARDS)
    assert len(marks.verdicts()) == MAX_MARKS
    assert ("r1", "b0") not in marks.verdicts()
    assert marks.forget(None) == MAX_MARKS
    assert not marks.file.parent.exists()


def test_a_manifest_edited_by_hand_deletes_nothing_elsewhere(tmp_path: Path) -> None:
    marks = Marks(tmp_path / "marks")
    marks.put(event("a1"), "true", b"x", HAZARDS)
    other = tmp_path / "other.jpg"
    other.write_bytes(b"x")
    marks.file.write_text(f"{marks.file.read_text()}../other.jpg,fire\n")
    marks.forget(None)
    assert other.exists()


@pytest.fixture
def journal(tmp_path: Path) -> JournalPaths:
    paths = JournalPaths(tmp_path / "journal")
    store = JournalStore(paths, "r1", WALL_S, {})
    pictures = (KeptPicture(b"a", False, 1), KeptPicture(b"b", True, 2), None, KeptPicture(b"c", False, 3))
    kinds = ("alert", "alert", "alert", "describe")
    store.write(
        [
            JournalRow(WALL_S, event(f"a{n}", kind=kind), picture=picture)
            for n, (kind, picture) in enumerate(zip(kinds, pictures, strict=True))
        ]
    )
    store.close()
    return paths


def answer(paths: JournalPaths, command: Any) -> Mapping[str, Any]:
    return offline_handlers(paths, HAZARDS)[command.do](command)


def test_only_alerts_with_a_clear_picture_can_be_marked(journal: JournalPaths) -> None:
    file = answer(journal, MarkCommand(row=1, verdict="false"))["file"]
    assert read_dataset(Path(file), HAZARDS).pictures[0].label == "safe"
    for row, why in ((2, "pixelated"), (3, "no picture"), (4, "no alert"), (9, "not in the journal")):
        with pytest.raises(CommandError, match=why):
            answer(journal, MarkCommand(row=row, verdict="false"))
    events = answer(journal, JournalCommand())["events"]
    assert [one.get("mark") for one in events] == [None, None, None, "false"]
    assert purge(journal, None)["pictures"] == 4  # three of the journal, and the marked one
    assert not journal.marks.exists()
