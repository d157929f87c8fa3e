from __future__ import annotations

from pathlib import Path

import pytest

from daemon.core.messages import Mute
from daemon.runtime.mute_file import NAME, MuteFile


def restored(state: Path, later_s: float) -> list[Mute]:
    return list(MuteFile(state, lambda: 1000.0 + later_s).inputs())


@pytest.fixture
def keeper(tmp_path: Path) -> MuteFile:
    return MuteFile(tmp_path, lambda: 1000.0)


def test_what_is_left_of_a_mute_is_restored(keeper: MuteFile, tmp_path: Path) -> None:
    keeper.keep(600, 0)
    assert restored(tmp_path, 10) == [Mute(590, "home")]
    assert restored(tmp_path, 599.5) == []


def test_danger_is_silenced_by_two_requests_again(keeper: MuteFile, tmp_path: Path) -> None:
    keeper.keep(600, 600)
    assert restored(tmp_path, 10) == [Mute(590, "keys"), Mute(590, "keys")]


def test_a_mute_that_was_ended_leaves_nothing(keeper: MuteFile, tmp_path: Path) -> None:
    keeper.keep(600, 0)
    keeper.keep(0, 0)
    assert restored(tmp_path, 1) == []
    assert not (tmp_path / NAME).exists()


def test_a_clock_that_was_put_back_makes_it_no_longer(keeper: MuteFile, tmp_path: Path) -> None:
    keeper.keep(600, 0)
    assert restored(tmp_path, -86400) == [Mute(600, "home")]


@pytest.mark.parametrize(
    "text", ["", "[]", "null", '{"written_s": "x", "muted_s": 1, "danger_muted_s": 1}', "[" * 9999]
)
def test_rubbish_is_no_mute(text: str, tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(text)
    assert restored(tmp_path, 1) == []


def test_a_folder_that_cannot_be_written_does_not_hinder_the_mute(tmp_path: Path) -> None:
    MuteFile(tmp_path / "none").keep(600, 0)
