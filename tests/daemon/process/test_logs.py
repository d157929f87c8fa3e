"""Log lines as the journal and as people read them."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.config.sections import LogSettings
from daemon.process.logs import JournalFormatter, TerminalFormatter, configure, is_journal


class Terminal(io.StringIO):
    """Takes text as a terminal does."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    root = logging.getLogger()
    before = root.level, root.handlers[:]
    yield
    root.setLevel(before[0])
    root.handlers[:] = before[1]


def _logged(stream: io.StringIO, env: dict[str, str] | None = None, **settings: str) -> str:
    configure(LogSettings.model_validate(settings), env or {}, stream)
    log = logging.getLogger("capture")
    log.debug("looking")
    log.info("open rtsp://me:secret@camera/1")
    log.warning("dark")
    try:
        int("broken")
    except ValueError:
        log.exception("lost")
    return stream.getvalue()


def test_the_journal_gets_a_priority_on_every_line_and_no_time() -> None:
    lines = _logged(io.StringIO(), format="journal", level="debug").splitlines()
    assert lines[:3] == ["<7>capture: looking", "<6>capture: open rtsp://***@camera/1", "<4>capture: dark"]
    assert lines[3] == "<3>capture: lost"
    assert lines[-1].startswith("<3>ValueError: ")
    assert all(line.startswith("<3>") for line in lines[3:])


def test_the_terminal_gets_a_short_line() -> None:
    text = _logged(io.StringIO())
    first, second, *_ = text.splitlines()
    assert first[8:] == " capture: open rtsp://***@camera/1"
    assert second[8:] == " capture: warning: dark"
    assert "\x1b" not in text
    assert "looking" not in text


def test_colour_is_for_terminals_that_want_it() -> None:
    assert "\x1b[33m" in _logged(Terminal())
    assert "\x1b" not in _logged(Terminal(), {"NO_COLOR": "1"})
    assert "\x1b[33m" in _logged(Terminal(), {"NO_COLOR": ""})
    assert "\x1b" not in _logged(Terminal(), {"TERM": "dumb"})


def test_the_journal_is_known_by_device_and_inode(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as stream:
        status = os.fstat(stream.fileno())
        assert is_journal({"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}, stream)
        assert not is_journal({"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino + 1}"}, stream)
        assert not is_journal({}, stream)
    assert not is_journal({"JOURNAL_STREAM": "1:2"}, io.StringIO())


def test_set_up_twice_it_still_speaks_once() -> None:
    stream = io.StringIO()
    for _ in range(2):
        configure(LogSettings(), {}, stream)
    logging.getLogger("capture").warning("dark")
    assert stream.getvalue().count("dark") == 1
    assert sys.stderr is not stream


@pytest.mark.parametrize("formatter", [JournalFormatter(), TerminalFormatter(colour=False)])
def test_what_a_message_quotes_forges_no_line_and_moves_no_cursor(formatter: logging.Formatter) -> None:
    said = "x\x1b]0;title\x07\x9b31m\r\n<3>watchword: forged\u2028y"
    record = logging.LogRecord("a", logging.INFO, "f", 1, "it said %s", (said,), None)
    shown = formatter.format(record)
    assert len(shown.splitlines()) == 1
    assert shown.isprintable()
