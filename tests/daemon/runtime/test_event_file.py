from __future__ import annotations

import os
from pathlib import Path

import pytest

from daemon.runtime.event_file import EventFile


def test_lines_are_appended_and_there_at_once(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("before\n")
    with EventFile(path) as file:
        file.write("one")
        assert path.read_text() == "before\none\n"


def test_after_a_rotation_a_new_file_is_begun(tmp_path: Path) -> None:
    path, old = tmp_path / "events.jsonl", tmp_path / "events.1"
    with EventFile(path) as file:
        file.write("one")
        path.rename(old)
        file.write("two")
        file.write("three")
    assert (old.read_text(), path.read_text()) == ("one\n", "two\nthree\n")


def test_after_a_rotation_by_copy_it_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with EventFile(path) as file:
        file.write("one")
        os.truncate(path, 0)
        file.write("two")
    assert path.read_text() == "two\n"


def test_if_no_new_file_can_be_begun_it_goes_on_later(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with EventFile(folder / "events.jsonl") as file:
        folder.rename(tmp_path / "moved")
        with pytest.raises(OSError):
            file.write("lost")
        folder.mkdir()
        file.write("two")
    assert (folder / "events.jsonl").read_text() == "two\n"


def test_what_is_no_text_is_written_all_the_same(tmp_path: Path) -> None:
    with EventFile(tmp_path / "events.jsonl") as file:
        file.write("caf\udce9")
    assert (tmp_path / "events.jsonl").read_bytes() == b"caf\\udce9\n"
