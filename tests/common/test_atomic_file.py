"""Files that are replaced whole or not at all."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from common import atomic_file
from common.atomic_file import commit, replacing, stage


def test_text_and_bytes_are_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    atomic_file.write(path, "눈")
    atomic_file.write(tmp_path / "b", b"\x00", mode=0o600)
    assert path.read_text(encoding="utf-8") == "눈"
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o600
    atomic_file.write(path, b"new")
    assert path.read_bytes() == b"new"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.toml", "b"]


def test_a_replaced_file_keeps_its_access_mode(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("old")
    path.chmod(0o640)
    atomic_file.write(path, "new")
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_a_failure_while_writing_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, error: BaseException
) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    with pytest.raises(type(error)), replacing(path) as file:
        file.write(b"half")
        raise error
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"a": "old"}


def test_a_target_that_cannot_be_replaced_leaves_no_part(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "inside").write_text("")
    with pytest.raises(OSError, match="a'"):
        atomic_file.write(tmp_path / "a", b"x")
    with pytest.raises(OSError, match="a'"):
        commit(stage(tmp_path / "a", b"x"), tmp_path / "a")
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


def test_what_is_staged_is_not_in_place_before_it_is_committed(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    part = stage(path, b"new")
    assert path.read_bytes() == b"old"
    commit(part, path)
    assert path.read_bytes() == b"new"
    assert not part.exists()


def test_a_disk_that_is_full_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000));"
        "from common import atomic_file; from pathlib import Path;"
        "atomic_file.write(Path(sys.argv[1]), bytes(5000))"
    )
    assert resource.RLIMIT_FSIZE >= 0
    result = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "File too large" in result.stderr
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"a": b"old"}


def test_content_and_name_are_synchronised_unless_it_is_a_cache(tmp_path: Path) -> None:
    traced = _synchronised(tmp_path, "True")
    assert traced == ["file", "folder"]
    assert _synchronised(tmp_path, "False") == []


def _synchronised(folder: Path, durable: str) -> list[str]:
    """What a child hands to fsync, by an audit of its own calls."""
    code = (
        "import os, stat, sys; real = os.fsync\n"
        "def fsync(handle):\n"
        "    print('folder' if stat.S_ISDIR(os.fstat(handle).st_mode) else 'file'); real(handle)\n"
        "os.fsync = fsync\n"
        "from common import atomic_file; from pathlib import Path\n"
        f"atomic_file.write(Path(sys.argv[1]) / 'x', b'1', durable={durable})\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return result.stdout.split()
