"""Log lines for people at a terminal and for systemd's journal."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from typing import Any, TextIO

from common.plain_text import escaped, one_line
from common.redact import redact
from daemon.config.sections import LogSettings

_SYSLOG = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_DEBUG = 7
_COLOURS = {2: "\x1b[1;31m", 3: "\x1b[31m", 4: "\x1b[33m", 7: "\x1b[2m"}
_PLAIN = "\x1b[0m"


class _PlainFormatter(logging.Formatter):
    """Escapes control characters and line feeds of messages, which may quote untrusted text."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - as logging calls it
        return one_line(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return escaped(super().formatException(ei))


class JournalFormatter(_PlainFormatter):
    """`<N>name: message`, N being the syslog priority (sd-daemon(3)); the journal has the time itself."""

    def format(self, record: logging.LogRecord) -> str:
        # Tracebacks have several lines; a message has one, even if it contains line feeds.
        prefix = f"<{_priority(record.levelno)}>"
        # Redacted as a whole: a traceback can quote an address as well.
        text = redact(f"{record.name}: {super().format(record)}")
        return "\n".join(prefix + line for line in text.splitlines())


class TerminalFormatter(_PlainFormatter):
    """`12:30:01 name: message`, coloured by severity where the terminal can."""

    def __init__(self, colour: bool) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        level = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        text = redact(f"{clock} {record.name}: {level}{super().format(record)}")
        colour = _COLOURS.get(_priority(record.levelno)) if self._colour else None
        return f"{colour}{text}{_PLAIN}" if colour else text


def configure(settings: LogSettings, env: Mapping[str, str], stream: TextIO) -> None:
    """Send the log of the whole process to `stream`, replacing earlier handlers."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(settings, env, stream))
    # `force`: a reload or an earlier library may have installed handlers.
    logging.basicConfig(level=settings.level.upper(), handlers=[handler], force=True)


def _formatter(settings: LogSettings, env: Mapping[str, str], stream: TextIO) -> logging.Formatter:
    journal = settings.format == "journal" or (settings.format == "auto" and is_journal(env, stream))
    return JournalFormatter() if journal else TerminalFormatter(_has_colours(env, stream))


def _has_colours(env: Mapping[str, str], stream: TextIO) -> bool:
    """True if the terminal has colours and NO_COLOR is unset or empty (no-color.org)."""
    return stream.isatty() and not env.get("NO_COLOR") and env.get("TERM") != "dumb"


def is_journal(env: Mapping[str, str], stream: TextIO) -> bool:
    """True if the stream is the one that systemd announced in JOURNAL_STREAM (systemd.exec(5))."""
    try:
        # The stream may have been redirected since systemd set the variable.
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return env.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def _priority(level: int) -> int:
    # Levels between two names count as the lower one.
    return next((priority for least, priority in _SYSLOG if level >= least), _DEBUG)
