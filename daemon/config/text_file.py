"""A settings file as text: bounded, from a regular file only, with mistakes of encoding explained."""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path

from daemon.errors import ConfigError

MOST_BYTES = 1_000_000
"""Far more than all settings need; a larger file was named by mistake."""

MOST_SECTIONS = 2000
"""Headers at the beginning of a line. Each hazard has one; a search through all of them for each of tens of
thousands would hold the daemon up for minutes."""

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_HANGUL = ("가", "힣")


def read_text(path: Path) -> str | None:
    """The text without its byte order mark; None if the file does not exist.

    Raises ConfigError if it is no text file. Never waits: a FIFO is refused, not read.
    """
    try:
        raw = _read_bytes(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError:
        raise ConfigError(f"{path}: you may not read it; sudo does, or --config names another") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); --config names another") from None
    if len(raw) > MOST_BYTES:
        raise ConfigError(f"{path}: is larger than {MOST_BYTES // 1000} kB; --config names another")
    text = _decoded(path, raw)
    # The cheap test first: parsing tens of thousands of sections takes minutes.
    if text.count("\n[") > MOST_SECTIONS:
        raise ConfigError(f"{path}: has more than {MOST_SECTIONS} sections; --config names another")
    return text


def _read_bytes(path: Path) -> bytes:
    # Without O_NONBLOCK opening a FIFO waits for its writer, for ever.
    # O_NOCTTY: opening a terminal must not make it ours.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        found = os.fstat(descriptor)
        # /dev/null is the usual way to name "no configuration".
        if not stat.S_ISREG(found.st_mode) and found.st_rdev != Path(os.devnull).stat().st_rdev:
            raise ConfigError(f"{path}: is {_kind(found.st_mode)}, no file; --config names another")
        with open(descriptor, "rb", closefd=False) as file:
            # One byte more than allowed shows that the file is too large, without reading all of it.
            return file.read(MOST_BYTES + 1)
    finally:
        os.close(descriptor)


def _kind(mode: int) -> str:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def _decoded(path: Path, raw: bytes) -> str:
    if raw.startswith(_UTF16) or _is_half_zeros(raw):
        raise ConfigError(_resave(path, 'UTF-16 text (Windows calls it "Unicode")', "UTF-16"))
    try:
        # "utf-8-sig": Windows editors put a byte order mark first, which TOML does not allow.
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        # CP949 is what Korean Windows saves by default; naming it is the whole cure.
        if _is_korean(raw):
            raise ConfigError(_resave(path, "CP949 (EUC-KR) text", "CP949")) from None
        raise ConfigError(f"{path}:{line}: is not UTF-8 text; save it as UTF-8") from None


def _resave(path: Path, encoding: str, name: str) -> str:
    return f"{path}: is {encoding}; save it as UTF-8 (`iconv -f {name} -t UTF-8 {path.name} > new.toml`)"


def _is_half_zeros(raw: bytes) -> bool:
    """UTF-16 without its mark: every second byte of Latin text is zero."""
    return len(raw) >= 4 and max(raw[0:400:2].count(0), raw[1:400:2].count(0)) > len(raw[:400]) // 4


def _is_korean(raw: bytes) -> bool:
    try:
        text = raw.decode("cp949")
    except UnicodeDecodeError:
        return False
    if not all(sign.isprintable() or sign in "\t\r\n" for sign in text):
        return False
    # Any bytes decode as CP949 with some luck; mostly Hangul means that it was Korean.
    foreign = [sign for sign in text if not sign.isascii()]
    hangul = sum(_HANGUL[0] <= sign <= _HANGUL[1] for sign in foreign)
    return hangul > len(foreign) / 2
