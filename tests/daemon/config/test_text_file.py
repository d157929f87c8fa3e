"""Files that are no settings files: told in words, at once, and without reading them whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from daemon.config.text_file import MOST_BYTES, read_text
from daemon.errors import ConfigError

KOREAN = 'say_ko = "조심하세요"\n'


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("a = 1\n".encode("utf-16"), "is UTF-16 text"),
        (("# settings\n" * 9).encode("utf-16-le"), "is UTF-16 text"),
        (b"\xff\xfe", "is UTF-16 text"),
        (KOREAN.encode("cp949"), "is CP949 (EUC-KR) text; save it as UTF-8 (`iconv -f CP949"),
        (b"a = 1\nb = \xe9t\xe9\n", "config.toml:2: is not UTF-8 text"),
        (b"\x89PNG\r\n\x1a\n", "config.toml:1: is not UTF-8 text"),
        (b"x" * (MOST_BYTES + 1), "is larger than 1000 kB"),
    ],
)
def test_the_encoding_is_named_with_its_cure(tmp_path: Path, raw: bytes, said: str) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(raw)
    with pytest.raises(ConfigError) as caught:
        read_text(file)
    assert said in str(caught.value)


def test_what_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(KOREAN, encoding="utf-8-sig")
    assert read_text(file) == KOREAN
    assert read_text(Path(os.devnull)) == ""
    assert read_text(tmp_path / "none.toml") is None
    assert read_text(file / "below.toml") is None


def test_what_is_no_file_is_neither_waited_for_nor_read(tmp_path: Path) -> None:
    os.mkfifo(fifo := tmp_path / "fifo")
    for path, kind in ((fifo, "a FIFO"), (tmp_path, "a folder"), (Path("/dev/zero"), "a device")):
        with pytest.raises(ConfigError, match=f"is {kind}, no file"):
            read_text(path)
