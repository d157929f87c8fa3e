"""Thousands of utterances of any kind, through outbox and speaker: the laws hold, nothing grows or hangs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.speech import utterances_run

ROOT = Path(__file__).resolve().parents[2]
COUNT = int(os.environ.get("WATCHWORD_UTTERANCES", "4000"))
GROWTH = 128 * 1024
"""Bytes that the second half of all utterances may leave behind."""


@pytest.mark.slow
@pytest.mark.timeout(60 + COUNT // 20)
def test_thousands_of_utterances_keep_the_laws_and_leave_nothing_behind() -> None:
    command = [sys.executable, "-m", utterances_run.__name__, str(COUNT)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=50 + COUNT // 20)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    print(f"\n{found}")  # noqa: T201
    counts = found["counts"]
    assert found["waiting"] == []
    assert sum(counts.values()) == COUNT
    assert counts["spoken"] > COUNT / 50
    assert {"expired", "replaced", "superseded"} <= set(counts)
    assert found["mixer_dropped"] == 0
    assert found["grown_bytes"] < GROWTH
    assert found["threads"] == []
