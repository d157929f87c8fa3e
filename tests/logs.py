"""The log records of one part: threads of another part may write while a test runs."""

from __future__ import annotations

import logging

import pytest


def records_of(caplog: pytest.LogCaptureFixture, part: str) -> list[logging.LogRecord]:
    """The captured records whose logger is `part` or below it."""
    return [record for record in caplog.records if f"{record.name}.".startswith(f"{part}.")]


def messages_of(caplog: pytest.LogCaptureFixture, part: str) -> list[str]:
    return [record.getMessage() for record in records_of(caplog, part)]
